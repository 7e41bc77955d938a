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

// NiceGUI's socket takes one megabyte: a text goes in pieces, by the `piece` events of the component that `emit`s, and
// what is returned stands for it in the event that follows. See long_text.py.
window.idmInPieces = (emit, text) => {
  const pieces = text.match(/[^]{1,150000}/gu) ?? [""];
  const last = pieces.pop();
  for (const [number, piece] of pieces.entries()) emit("piece", { number, piece });
  return { last, after: pieces.length };
};

// The status of a download in words. Only the browser knows the time zone of who reads it.
window.idmStatus = ({ status_text, not_before }) => {
  const format = { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" };
  if (!not_before) return status_text;
  return window.idmWords.not_before.replace("{time}", new Date(not_before).toLocaleString(window.idmLocale, format));
};

window.idmShow = (states) => {
  for (const [id, state] of Object.entries(states)) {
    const component = getElement(id);
    if (component) component.state = Vue.markRaw(state);
  }
};
