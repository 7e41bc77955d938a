// The line at the bottom. `state` comes from the server; the connection is what this tab's own socket says.

export default {
  props: { state: Object },
  template: `
    <footer class="status-bar">
      <span class="rate"><i class="material-icons" aria-hidden="true">south</i>{{ state.rate_text }}</span>
      <span class="active">{{ state.active_text }}</span>
      <span class="queued">{{ state.queued_text }}</span>
      <span class="free">{{ state.free_text }}</span>
      <span class="connection" role="status" :data-connection="connection">{{ words[connection] }}</span>
    </footer>`,
  data: () => ({ connection: "connecting" }),
  created() {
    this.words = window.idmWords;
  },
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
