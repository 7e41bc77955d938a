// The line at the bottom. `state` comes from the server; the connection is what this tab's own socket says, the
// latency is measured on it: there and back through the server's loop. Emits `ping`; the server calls `pong`.

const PING_MS = 5000;

export default {
  mixins: [window.idmLive, window.idmConnection],
  emits: ["ping"],
  template: `
    <footer class="status-bar">
      <span class="rate"><i class="material-icons" aria-hidden="true">south</i>{{ state.rate_text }}</span>
      <svg class="graph" viewBox="0 0 59 20" preserveAspectRatio="none" aria-hidden="true"><path :d="area"/></svg>
      <span class="active">{{ state.active_text }}</span>
      <span class="queued">{{ state.queued_text }}</span>
      <span class="free">{{ state.free_text }}</span>
      <span class="connection" role="status" :data-connection="connection">{{ words[connection] }}</span>
      <span v-if="latency !== null && connection === 'connected'" class="latency" :title="words.latency">{{ latency }} ms</span>
    </footer>`,
  data: () => ({ latency: null }),
  created() {
    this.words = window.idmWords;
  },
  mounted() {
    this.pings = setInterval(this.ping, PING_MS);
  },
  unmounted() {
    clearInterval(this.pings);
  },
  computed: {
    area() {
      const rates = this.state.rates ?? [];
      const top = Math.max(1, ...rates);
      return `M0 20 ${rates.map((rate, second) => `L${second} ${(20 - (rate * 18) / top).toFixed(1)}`).join("")} L59 20Z`;
    },
  },
  watch: {
    connection(now, before) {
      if (before === "connecting") setTimeout(this.ping, 500);
    },
  },
  methods: {
    ping() {
      if (document.hidden || this.connection !== "connected") return;
      this.asked = performance.now();
      this.$emit("ping");
    },
    pong() {
      this.latency = Math.max(1, Math.round(performance.now() - this.asked));
    },
  },
};
