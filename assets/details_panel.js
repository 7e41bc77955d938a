// All that is known of one download, live: `state` as details_state.py made it.
// Emits `act` with an action, `limit` with bytes per second or null, `keep` with a boolean, `close`.

const prefix = new URL(import.meta.url).pathname.split("/_nicegui/")[0]; // right behind a proxy's sub-path, too
const instant = new Intl.DateTimeFormat(window.idmLocale, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(window.idmLocale, { timeStyle: "medium" });
const actionIcons = { pause: "pause", resume: "play_arrow", retry: "refresh", remove: "delete_outline" };
const twins = ["pause", "resume", "retry"]; // one button: who has just pressed it finds it again
const LIMIT = { steps: 100, least: 10_000, most: 1e9, pause_ms: 150 }; // the last step is no limit
const LOOK_MS = 1500; // a connection that brought nothing for so long waits

export default {
  mixins: [window.idmLive],
  props: { looking: Boolean, kept: Boolean },
  emits: ["act", "limit", "keep", "close"],
  template: `
    <section class="details" :aria-label="words.properties" :data-download-id="state.id" :data-status="state.status"
             @keydown.esc.stop="close">
      <header>
        <h2><bdi>{{ state.title }}</bdi></h2>
        <button ref="close" type="button" class="tool" :aria-label="words.close" :title="words.close" @click="close">
          <i class="material-icons" aria-hidden="true">close</i></button>
      </header>
      <div class="state">
        <div class="words"><span class="status">{{ statusText }}</span><span class="percent">{{ state.percent_text }}</span></div>
        <div class="bar" role="progressbar" :class="{ unknown: state.progress === null }" :aria-label="state.title"
             aria-valuemin="0" aria-valuemax="100" :aria-valuenow="state.progress"
             :aria-valuetext="statusText + ' ' + state.percent_text">
          <div class="fill" :style="{ '--progress': state.progress ?? 0 }"></div>
        </div>
        <div class="numbers"><span>{{ state.size_text }}</span><span class="rate">{{ state.rate_text }}</span><span>{{ state.eta_text }}</span></div>
      </div>
      <div class="answers">
        <a v-if="state.file_url" class="tool save" :href="file" download :aria-label="words.save + ' ' + state.title">
          <i class="material-icons" aria-hidden="true">save_alt</i>{{ words.save }}</a>
        <button v-if="state.can_look" type="button" class="tool" :aria-expanded="shows ? 'true' : 'false'" @click="shows = !shows">
          <i class="material-icons" aria-hidden="true">{{ shows ? "visibility_off" : "play_circle" }}</i>{{ words[shows ? "hide" : "look"] }}</button>
        <button v-for="action in state.actions" :key="twins.includes(action) ? 'go' : action" type="button" class="tool" :class="action" @click="$emit('act', action)">
          <i class="material-icons" aria-hidden="true">{{ actionIcons[action] }}</i>{{ words[action] }}</button>
      </div>
      <div v-if="shows && state.can_look" class="preview">
        <video v-if="state.preview === 'video'" :src="view" controls playsinline :aria-label="state.title" @loadeddata="play"></video>
        <audio v-else-if="state.preview === 'audio'" :src="view" controls :aria-label="state.title" @loadeddata="play"></audio>
        <img v-else-if="state.preview === 'image'" :src="view" :alt="state.title">
        <template v-else><iframe :src="view + '#navpanes=0'" :title="state.title"></iframe>
        <a :href="view" target="_blank" rel="noopener">{{ words.open_in_tab }}</a></template>
      </div>
      <div v-if="state.error" class="problem">
        <p>{{ state.error.message }}</p>
        <pre tabindex="0">{{ state.error.detail }}</pre>
        <button type="button" class="tool" @click="copyError">
          <i class="material-icons" aria-hidden="true">content_copy</i>{{ copied ? words.copied : words.copy }}</button>
      </div>
      <template v-if="state.segments.length">
        <h3>{{ words.strip }}</h3>
        <canvas ref="strip" class="strip" role="img" :aria-label="words.strip + ': ' + state.percent_text"></canvas>
        <div class="scroll" tabindex="0" role="region" :aria-label="words.connection_table">
          <table>
            <thead><tr><th>#</th><th>{{ words.starts_at }}</th><th>{{ words.received }}</th><th>{{ words.columns.status }}</th></tr></thead>
            <tbody><tr v-for="(connection, index) in state.connections" :key="connection.start">
              <td>{{ index + 1 }}</td><td>{{ connection.start_text }}</td>
              <td>{{ connection.received_text }} / {{ connection.size_text }}</td>
              <td>{{ doing(connection) }} <bdi>{{ connection.percent_text }}</bdi></td></tr></tbody>
          </table>
        </div>
      </template>
      <template v-if="state.streams.length > 1">
        <h3>{{ words.streams }}</h3>
        <div v-for="stream in state.streams" :key="stream.name" class="stream">
          <div class="words"><span>{{ stream.name }}</span><span>{{ stream.size_text }}</span></div>
          <div class="bar"><div class="fill" :style="{ '--progress': stream.progress ?? 0 }"></div></div>
        </div>
      </template>
      <template v-if="state.rates.some((rate) => rate > 0)">
        <h3>{{ words.rate_over_time }} <span>{{ words.peak }} <bdi>{{ state.peak_text }}</bdi></span></h3>
        <svg class="graph" :viewBox="'0 0 ' + (state.rates.length - 1) + ' 40'" preserveAspectRatio="none" aria-hidden="true"><path :d="area"/></svg>
      </template>
      <template v-if="!isFinished">
        <h3><label for="limit">{{ words.limit }}</label> <output for="limit">{{ limitText }}</output></h3>
        <input id="limit" type="range" min="0" :max="LIMIT.steps" :value="step" :aria-valuetext="limitText" @input="setLimit">
        <label class="check"><input type="checkbox" :checked="kept" @change="$emit('keep', $event.target.checked)">
          {{ words.save_when_done }}</label>
      </template>
      <template v-if="state.events.length">
        <h3>{{ words.events }}</h3>
        <ol class="events"><li v-for="(event, index) in state.events" :key="index">
          <time :datetime="event.at">{{ clock.format(new Date(event.at)) }}</time> {{ event.text }}</li></ol>
      </template>
      <h3>{{ words.properties }}</h3>
      <dl>
        <dt>{{ words.address }}</dt>
        <dd class="address"><span>{{ state.url }}</span>
          <button type="button" class="tool" :aria-label="words.copy_address" :title="words.copy_address" @click="$emit('act', 'copy_address')">
            <i class="material-icons" aria-hidden="true">content_copy</i></button></dd>
        <template v-for="[label, text] in state.facts" :key="label"><dt>{{ label }}</dt><dd><bdi>{{ text }}</bdi></dd></template>
        <template v-for="[label, at] in state.times" :key="label"><dt>{{ label }}</dt><dd>{{ instant.format(new Date(at)) }}</dd></template>
      </dl>
    </section>`,
  data() {
    return { shows: this.looking, copied: false, moving: null };
  },
  created() {
    Object.assign(this, { words: window.idmWords, actionIcons, twins, instant, clock, LIMIT, seen: new Map() });
    this.look();
  },
  mounted() {
    this.opener = document.activeElement;
    const isByKey = this.opener.matches(":focus-visible"); // then the keys go on here, and Escape goes back
    this.isPage = getComputedStyle(this.$el.parentElement).position === "fixed"; // a phone: its Back closes this
    if (this.isPage) {
      history.pushState(history.state, "");
      addEventListener("popstate", this.leave);
    }
    if (this.isPage || isByKey) this.$refs.close.focus();
    this.sizes = new ResizeObserver(this.draw);
    this.sizes.observe(this.$el);
    this.draw();
  },
  unmounted() {
    removeEventListener("popstate", this.leave);
    this.sizes.disconnect();
    if (!document.activeElement || document.activeElement === document.body) this.opener?.focus();
  },
  watch: {
    state() {
      this.look();
      this.$nextTick(this.draw);
    },
    looking(now) {
      this.shows = now;
    },
  },
  computed: {
    statusText() {
      return window.idmStatus(this.state);
    },
    file() {
      return prefix + this.state.file_url;
    },
    view() {
      return prefix + `/api/downloads/${this.state.id}/preview`;
    },
    isFinished() {
      return ["completed", "failed"].includes(this.state.status);
    },
    area() {
      const top = Math.max(1, ...this.state.rates);
      const points = this.state.rates.map((rate, second) => `L${second} ${(39 - (rate * 36) / top).toFixed(1)}`);
      return `M0 40${points.join("")}L${points.length - 1} 40Z`;
    },
    limit() {
      return this.moving === null ? this.state.limit : this.moving.limit;
    },
    step() {
      if (this.limit === null) return LIMIT.steps;
      return Math.round(((LIMIT.steps - 1) * Math.log(this.limit / LIMIT.least)) / Math.log(LIMIT.most / LIMIT.least));
    },
    limitText() {
      if (this.limit === null) return this.words.no_limit;
      const power = Math.floor(Math.log10(this.limit) / 3);
      return Number((this.limit / 1000 ** power).toPrecision(3)) + " " + ["B", "kB", "MB", "GB"][power] + "/s";
    },
  },
  methods: {
    close() {
      if (this.isPage) history.back();
      else this.leave();
    },
    leave() {
      this.$emit("close");
    },
    // Not `autoplay`: that waits until all could be played without a pause, and the rest may still be on its way.
    play({ target }) {
      target.play().catch(() => {}); // a browser that wants a press first
    },
    // When each connection last brought something, by where it starts.
    look() {
      const now = performance.now();
      for (const { start, received } of this.state.connections) {
        const before = this.seen.get(start);
        if (before?.received !== received) this.seen.set(start, { received, at: before ? now : -Infinity });
      }
    },
    doing({ start, is_complete }) {
      if (is_complete) return this.words.complete;
      const isReceiving = this.state.status === "downloading" && performance.now() - this.seen.get(start).at < LOOK_MS;
      return isReceiving ? this.words.receiving : this.words.waiting;
    },
    draw() {
      const canvas = this.$refs.strip;
      if (!canvas) return;
      const scale = devicePixelRatio;
      const width = (canvas.width = canvas.clientWidth * scale);
      const height = (canvas.height = canvas.clientHeight * scale);
      const pen = canvas.getContext("2d");
      const style = getComputedStyle(canvas);
      const total = this.state.total_bytes ?? this.state.segments.at(-1)[1];
      const isRightToLeft = style.direction === "rtl";
      const paint = (color, from, to, least) => {
        const x = (from / total) * width;
        const wide = Math.max(least * scale, ((to - from) / total) * width);
        pen.fillStyle = color;
        pen.fillRect(isRightToLeft ? width - x - wide : x, 0, wide, height);
      };
      for (const [start, , received] of this.state.segments) paint(style.color, start, start + received, 0);
      for (const [start, end, received] of this.state.segments) if (received < end - start) paint(style.caretColor, start, start, 2);
    },
    setLimit({ target }) {
      const step = Number(target.value);
      const limit = LIMIT.least * (LIMIT.most / LIMIT.least) ** (step / (LIMIT.steps - 1));
      this.moving = { limit: step === LIMIT.steps ? null : Number(limit.toPrecision(2)) };
      clearTimeout(this.pause);
      this.pause = setTimeout(() => {
        this.$emit("limit", this.moving.limit);
        setTimeout(() => (this.moving = null), 500);
      }, LIMIT.pause_ms);
    },
    copyError() {
      const { message, detail } = this.state.error;
      this.$el.dispatchEvent(new CustomEvent("copy-text", { bubbles: true, detail: { text: `${message}\n${detail}` } }));
      this.copied = true;
    },
  },
};
