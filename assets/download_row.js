// One download: a row on a wide screen, a card on a phone. Shows `state` as row_state.py made it, and nothing else.
// It speaks through bubbling DOM events, so that a list needs one listener, not one for each row:
// `row-action` {id, action}, `row-menu` {state, selected, x, y} and `copy-text` {text}. Picks are the list's.

const prefix = new URL(import.meta.url).pathname.split("/_nicegui/")[0]; // right behind a proxy's sub-path, too
const instant = new Intl.DateTimeFormat(window.idmLocale, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const actionIcons = { open: "open_in_new", pause: "pause", resume: "play_arrow", retry: "refresh", remove: "close" };
const twins = ["pause", "resume", "retry"]; // one button: who has just pressed it finds it again
const categoryIcons = {
  compressed: "folder_zip",
  documents: "description",
  music: "music_note",
  programs: "widgets",
  video: "movie",
  playlist: "playlist_play",
  other: "insert_drive_file",
};

export default {
  inheritAttrs: false,
  mixins: [window.idmLive],
  props: { selected: Boolean },
  template: `
    <div v-memo="[state, selected, copied]" class="download" :class="{ selected }" role="listitem" tabindex="-1"
         :data-download-id="state.id" :data-status="state.status" @contextmenu.prevent="openMenu">
      <label class="pick">
        <input type="checkbox" :checked="selected" :aria-label="words.select + ' ' + state.title">
      </label>
      <i class="material-icons kind" :class="state.category" aria-hidden="true">{{ icon }}</i>
      <div class="name">
        <bdi class="title" :title="state.title">{{ state.title }}</bdi>
        <span class="origin">#{{ state.id }} · <bdi>{{ state.site }}</bdi> · <bdi>{{ added }}</bdi></span>
      </div>
      <div class="state">
        <div class="words"><span class="status">{{ statusText }}</span>
          <span class="percent">{{ state.percent_text }}</span></div>
        <div class="bar" role="progressbar" :class="{ unknown: state.progress === null }"
             :aria-label="state.title" aria-valuemin="0" aria-valuemax="100"
             :aria-valuenow="state.progress" :aria-valuetext="statusText + ' ' + state.percent_text">
          <div class="fill" :style="{ '--progress': state.progress ?? 0 }"></div>
        </div>
      </div>
      <span class="size">{{ state.size_text }}</span>
      <span class="rate">{{ state.rate_text }}</span>
      <span class="eta">{{ state.eta_text }}</span>
      <span class="added">{{ added }}</span>
      <bdi class="site">{{ state.site }}</bdi>
      <div class="actions">
        <a v-if="state.file_url" class="save" :href="file" download :aria-label="words.save + ' ' + state.title"
           :title="words.save"><i class="material-icons" aria-hidden="true">save_alt</i><span>{{ words.save }}</span></a>
        <button v-for="action in actions" :key="twins.includes(action) ? 'go' : action" type="button" :class="action"
                :aria-label="words[action]" :title="words[action]" @click="tell('row-action', { action })">
          <i class="material-icons" aria-hidden="true">{{ actionIcons[action] }}</i>
        </button>
        <button type="button" class="more" :aria-label="words.more + ' ' + state.title" :title="words.more" aria-haspopup="menu"
                @click="openMenu"><i class="material-icons" aria-hidden="true">more_vert</i></button>
      </div>
      <div v-if="state.error" class="error">
        <span>{{ state.error.message }}</span>
        <details>
          <summary>{{ words.details }}</summary>
          <pre>{{ state.error.detail }}</pre>
          <button type="button" @click="copy">{{ copied ? words.copied : words.copy }}</button>
        </details>
      </div>
    </div>`,
  data: () => ({ copied: false }),
  created() {
    this.words = window.idmWords;
    this.actionIcons = actionIcons;
    this.twins = twins;
  },
  computed: {
    createdAt() {
      return this.state.created_at;
    },
    icon() {
      return categoryIcons[this.state.category] ?? categoryIcons.other;
    },
    statusText() {
      return window.idmStatus(this.state);
    },
    added() {
      return instant.format(new Date(this.createdAt));
    },
    actions() {
      return this.state.file_url && window.idmDesktop ? ["open", ...this.state.actions] : this.state.actions;
    },
    file() {
      return prefix + this.state.file_url;
    },
  },
  methods: {
    tell(type, detail) {
      this.$el.dispatchEvent(new CustomEvent(type, { bubbles: true, detail: { id: this.state.id, ...detail } }));
    },
    openMenu({ clientX, clientY, currentTarget }) {
      const box = currentTarget.getBoundingClientRect(); // opened with a key: there is no pointer
      const [x, y] = clientX || clientY ? [clientX, clientY] : [box.left, box.bottom];
      this.tell("row-menu", { state: this.state, selected: this.selected, x, y });
    },
    copy() {
      this.tell("copy-text", { text: this.state.error.detail });
      this.copied = true;
    },
  },
};
