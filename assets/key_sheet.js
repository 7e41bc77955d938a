// `?` shows every key of the page.

const keys = {
  add_url: ["N"], search: ["/"], paste: ["Ctrl V"], move: ["↑", "↓", "Home", "End"], extend: ["Shift ↑", "Shift ↓"],
  toggle: ["Space"], everything: ["Ctrl A"], nothing: ["Esc"], properties: ["Enter"], remove: ["Delete"],
  menu: ["Shift F10"], this_sheet: ["?"],
};

export default {
  template: `
    <dialog v-if="isOpen" ref="sheet" class="sheet keys" role="dialog" :aria-label="words.keys" @close="isOpen = false" @click.self="$refs.sheet.close()">
      <h2 class="heading">{{ words.keys }}</h2>
      <dl><template v-for="(names, action) in keys" :key="action">
        <dt><template v-for="name in names" :key="name"><kbd>{{ name }}</kbd> </template></dt>
        <dd>{{ words.key_words[action] ?? words[action] }}</dd></template></dl>
      <form method="dialog"><button class="tool">{{ words.close }}</button></form>
    </dialog>
    <span v-else hidden></span>`,
  data: () => ({ isOpen: false }),
  created() {
    this.words = window.idmWords;
    this.keys = keys;
  },
  mounted() {
    document.addEventListener("keydown", this.onKey);
  },
  unmounted() {
    document.removeEventListener("keydown", this.onKey);
  },
  methods: {
    async onKey({ key, target }) {
      if (key !== "?" || target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("[role=dialog]")) return;
      this.isOpen = true;
      await this.$nextTick();
      this.$refs.sheet.showModal();
    },
  },
};
