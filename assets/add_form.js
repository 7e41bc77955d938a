// The form that adds downloads: the field, what the server knows about what is in it (`state`), the choices.
// Emits `look` with the text while somebody types, `submit` with the text and the choices (both texts by
// `idmInPieces`), `open` with the id of a download that is there already, `cancel`.

const PAUSE_MS = 300;
const MOST_KEPT_CHARACTERS = 2_000_000; // a browser keeps five megabytes for a page

export default {
  props: {
    rows: Number,
    text: String,
    state: Object,
    qualities: Array,
    categories: Array,
    folders: Array,
    inDialog: Boolean,
    extras: Array,
    isForeign: Boolean, // the text came by a link: nothing is asked of its address before somebody does something
  },
  emits: ["piece", "look", "submit", "open", "cancel"],
  template: `
    <form class="add-form" novalidate @submit.prevent="submit" @pointerdown.once="lookAtForeign" @keydown.once="lookAtForeign">
      <label class="field">
        <span>{{ words.url }}</span>
        <textarea ref="field" v-model="typed" :rows="rows" spellcheck="false" autocomplete="off" dir="ltr"
                  :data-autofocus="inDialog || null" @input="look(pauseMs)"
                  @keydown.enter.exact.prevent="submit"></textarea>
      </label>
      <div aria-live="polite" class="found">
        <ul v-if="state.problems.length" class="problems">
          <li v-for="problem in state.problems"><bdi class="address">{{ problem.address }}</bdi>
            <div>{{ problem.reason }}</div></li>
          <li v-if="state.more_problems">{{ state.more_problems }}</li>
        </ul>
        <p v-if="state.preview" class="preview"><i class="material-icons" aria-hidden="true">playlist_add</i>
          <bdi>{{ state.preview }}</bdi></p>
        <p v-if="state.is_looking" class="looking"><span class="spinner" aria-hidden="true"></span>{{ words.looking }}</p>
        <p v-if="state.trouble" class="trouble"><i class="material-icons" aria-hidden="true">info</i>
          <span>{{ state.trouble }}</span></p>
        <div v-if="offer" class="offer">
          <i class="material-icons kind" :class="offer.category" aria-hidden="true">{{ offer.icon }}</i>
          <div class="name"><bdi class="title" :title="offer.title">{{ offer.title }}</bdi>
            <span class="origin">{{ offer.facts }}</span></div>
        </div>
        <div v-if="state.known" class="known"><i class="material-icons" aria-hidden="true">history</i>
          <span>{{ state.known }}</span>
          <button v-if="state.known_id" type="button" class="tool" @click="$emit('open', state.known_id)">
            {{ words.open_known }}</button>
          <button v-if="state.known_id && inDialog" type="button" class="tool" @click="$emit('cancel')">
            {{ words.skip }}</button>
          <label v-if="!state.known_id" class="check"><input v-model="skipKnown" type="checkbox">{{ words.skip_known }}</label>
        </div>
      </div>
      <fieldset v-if="entries.length" class="entries">
        <legend class="unseen">{{ words.entries }}</legend>
        <div class="line">
          <input v-model="searched" type="search" class="search" :placeholder="words.search_entries"
                 :aria-label="words.search_entries" @keydown.enter.prevent>
          <button type="button" class="tool" @click="pick(true)">{{ words.all }}</button>
          <button type="button" class="tool" @click="pick(false)">{{ words.none }}</button>
          <span class="hint">{{ number.format(picked.size) }} / {{ number.format(entries.length) }}</span>
        </div>
        <ul tabindex="0" :aria-label="words.entries">
          <li v-for="entry in found" :key="entry.index"><label class="check">
            <input type="checkbox" :checked="picked.has(entry.index)" @change="toggle(entry.index)">
            <span class="number">{{ entry.index }}</span><bdi>{{ entry.title }}</bdi>
            <span class="hint">{{ entry.duration }}</span></label></li>
        </ul>
      </fieldset>
      <div v-if="typed.trim() && !isFile" class="line choices">
        <label class="field"><span>{{ words.quality }}</span>
          <select v-model="quality"><option v-for="one in offered" :key="one.value" :value="one.value">{{ one.label }}</option>
          </select></label>
        <details v-if="offer?.subtitles.length" class="ticks">
          <summary>{{ words.subtitles }}<template v-if="subtitles.length"> ({{ number.format(subtitles.length) }})</template></summary>
          <div><label v-for="one in offer.subtitles" :key="one.value" class="check">
            <input v-model="subtitles" type="checkbox" :value="one.value">{{ one.label }}</label></div>
        </details>
        <details class="ticks">
          <summary>{{ words.embed }}<template v-if="embed.length"> ({{ number.format(embed.length) }})</template></summary>
          <div><label v-for="one in extras" :key="one.value" class="check">
            <input v-model="embed" type="checkbox" :value="one.value"><span>{{ one.label }}
              <span v-if="one.hint" class="hint">{{ one.hint }}</span></span></label></div>
        </details>
      </div>
      <details v-if="typed.trim()" ref="more" class="more">
        <summary>{{ words.more }}</summary>
        <div class="line choices">
          <label class="field"><span>{{ words.folder }}</span>
            <input v-model.trim="directory" type="text" list="add-form-folders" :placeholder="words.folder_hint"
                   maxlength="500"></label>
          <datalist id="add-form-folders"><option v-for="folder in folders" :key="folder" :value="folder"></option></datalist>
          <label class="field"><span>{{ words.category }}</span>
            <select v-model="category"><option value="">{{ words.automatic }}</option>
              <option v-for="one in categories" :key="one.value" :value="one.value">{{ one.label }}</option></select></label>
          <label class="field"><span>{{ words.start }}</span>
            <select v-model="start"><option value="now">{{ words.start_now }}</option>
              <option value="by-hand">{{ words.start_by_hand }}</option><option value="at">{{ words.start_at }}</option>
            </select></label>
          <label v-if="start === 'at'" class="field"><span>{{ words.start_time }}</span>
            <input v-model="startAt" type="datetime-local" required></label>
        </div>
      </details>
      <div class="buttons">
        <span class="hint">{{ words.hint }}</span>
        <div class="answers">
          <button v-if="inDialog" type="button" class="tool" @click="$emit('cancel')">{{ words.cancel }}</button>
          <button type="submit" class="primary" :disabled="entries.length > 0 && !picked.size"><i class="material-icons" aria-hidden="true">download</i>
            <span>{{ words.download }}</span></button>
        </div>
      </div>
    </form>`,
  data() {
    return {
      typed: this.text,
      quality: "quality:best",
      subtitles: [],
      embed: [],
      picked: new Set(),
      searched: "",
      directory: "",
      category: "",
      start: "now",
      startAt: "",
      skipKnown: true,
    };
  },
  created() {
    this.words = window.idmWords.add;
    this.number = new Intl.NumberFormat(window.idmLocale);
    this.pauseMs = PAUSE_MS;
  },
  mounted() {
    if (this.typed && !this.isForeign) this.look(0);
  },
  unmounted() {
    clearTimeout(this.pause);
    if (this.inDialog) sessionStorage.removeItem("draft"); // closed by somebody, or all is done
  },
  computed: {
    offer() {
      return this.state.offer;
    },
    isFile() {
      return this.offer?.kind === "file";
    },
    entries() {
      return this.offer?.entries ?? [];
    },
    found() {
      const wanted = this.searched.toLocaleLowerCase();
      return this.entries.filter((entry) => entry.title.toLocaleLowerCase().includes(wanted));
    },
    offered() {
      return this.offer?.qualities ?? this.qualities;
    },
  },
  watch: {
    offer() {
      this.subtitles = [];
      this.searched = "";
      this.picked = new Set(this.entries.map((entry) => entry.index));
      if (!this.offered.some((one) => one.value === this.quality)) this.quality = "quality:best";
    },
  },
  methods: {
    lookAtForeign() {
      if (this.isForeign) this.look(0);
    },
    look(pauseMs) {
      this.keep();
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.$emit("look", window.idmInPieces(this.$emit, this.typed)), pauseMs);
    },
    fill(text) {
      this.replace([this.typed.trim(), text.trim()].filter(Boolean).join("\n"));
      if (!this.isForeign) this.look(0);
    },
    replace(text) {
      this.typed = text;
      if (!this.isForeign) this.keep();
      this.focus();
    },
    // For when the page is loaded anew before it is sent: the server was restarted, the machine slept.
    keep() {
      sessionStorage.setItem("draft", this.typed.length > MOST_KEPT_CHARACTERS ? "" : this.typed);
    },
    focus() {
      this.$refs.field.focus();
    },
    toggle(index) {
      if (!this.picked.delete(index)) this.picked.add(index);
    },
    pick(isPicked) {
      for (const { index } of this.found) isPicked ? this.picked.add(index) : this.picked.delete(index);
    },
    submit() {
      clearTimeout(this.pause);
      if (!this.$el.checkValidity()) {
        this.$refs.more.open = true; // what is not shown cannot be complained about
        this.$el.reportValidity();
        return;
      }
      this.$emit("submit", {
        text: window.idmInPieces(this.$emit, this.typed),
        quality: this.isFile ? null : this.quality,
        subtitles: this.subtitles,
        embed: this.isFile ? [] : this.embed,
        items: this.picked.size < this.entries.length ? ranges([...this.picked].sort((a, b) => a - b)) : null,
        directory: this.directory,
        category: this.category || null,
        start: this.start !== "by-hand",
        start_at: this.start === "at" && this.startAt ? new Date(this.startAt).toISOString() : null,
        skip_known: Boolean(this.state.known && !this.state.known_id && this.skipKnown),
      });
    },
  },
};

// [1, 2, 3, 7] → "1-3,7"
function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
