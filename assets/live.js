// How elements that are bound on the server get their news: as NiceGUI renders the whole page anew for every property
// that changes, the states of all that moves come in one message, and each component renders itself alone.
// In every page's head. A component with `mixins: [window.idmLive]` shows `state`; `given` is the one it began with.

window.idmLive = {
  props: { given: Object },
  data() {
    return { state: this.given };
  },
  watch: {
    given(now) {
      this.state = now;
    },
  },
};

window.idmShow = (states) => {
  for (const [id, state] of Object.entries(states)) {
    const component = getElement(id);
    if (component) component.state = Vue.markRaw(state);
  }
};
