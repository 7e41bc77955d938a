// The product, IDM's toolbar, the search; what stands in the slot comes last.
// Emits `press` with the tool's name, `search` with the text. `selected`: how many downloads are selected. `search` is
// what the field holds at first; then it is the reader's own, and only `write` changes it.

const SEARCH_PAUSE_MS = 150;

export default {
  props: { selected: Number, search: String },
  emits: ["press", "search"],
  template: `
    <header class="top">
      <div class="brand"><span class="logo" aria-hidden="true"></span><h1>{{ words.name }}</h1></div>
      <div v-memo="[selected > 0]" class="tools" role="toolbar">
        <button type="button" class="primary" @click="$emit('press', 'add')">
          <i class="material-icons" aria-hidden="true">add</i><span>{{ words.add_url }}</span>
        </button>
        <div v-for="group in groups" :key="group.name" class="group" :class="{ [group.name]: true, some: selected }">
          <button v-for="[name, icon] in group.tools" :key="name" type="button" class="tool" :title="words[name]"
                  :disabled="isIdle(group)" :aria-hidden="isIdle(group) || null" @click="$emit('press', name)">
            <i class="material-icons" aria-hidden="true">{{ icon }}</i><span>{{ words[name] }}</span>
          </button>
        </div>
      </div>
      <input ref="search" type="search" class="search" :placeholder="words.search" :aria-label="words.search" @input="find">
      <slot></slot>
    </header>`,
  created() {
    this.words = window.idmWords;
    this.groups = [
      {
        name: "on-selection",
        tools: [
          ["resume_selected", "play_arrow"],
          ["stop_selected", "pause"],
          ["delete_selected", "delete_outline"],
        ],
      },
      {
        name: "on-all",
        tools: [
          ["start_all", "playlist_play"],
          ["stop_all", "stop_circle"],
          ["delete_completed", "delete_sweep"],
        ],
      },
    ];
  },
  mounted() {
    this.write(this.search);
  },
  methods: {
    write(text) {
      clearTimeout(this.pause);
      this.$refs.search.value = text;
    },
    // A tool that can do nothing now is not worth reading out, and must not be taken for a row's.
    isIdle(group) {
      return group.name === "on-selection" && !this.selected;
    },
    find({ target }) {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.$emit("search", target.value), SEARCH_PAUSE_MS);
    },
  },
};
