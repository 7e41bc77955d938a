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

// What this tab's own socket says: `connecting`, `connected`, `offline`.
window.idmConnection = {
  data: () => ({ connection: "connecting" }),
  mounted() {
    this.follow();
  },
  watch: {
    connection(now) {
      document.documentElement.classList.toggle("offline", now === "offline"); // what is shown may be old
    },
  },
  methods: {
    follow() {
      const socket = window.socket; // NiceGUI opens it when the whole page is mounted
      if (!socket) return setTimeout(this.follow, 10);
      socket.io.reconnectionDelayMax(2000);
      socket.on("connect", () => (this.connection = "connected"));
      socket.on("disconnect", () => (this.connection = "offline"));
      socket.on("connect_error", () => {
        this.connection = "offline";
        this.askForSignIn();
      });
      if (socket.connected) this.connection = "connected";
    },
    // The session may have ended, here or on another device: the page anew is the one that asks for the password.
    async askForSignIn() {
      const answer = await fetch("api/stats").catch(() => null);
      if (answer?.status === 401) location.reload();
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
