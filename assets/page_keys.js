// Anywhere on the page: `n` opens the Add dialog, `/` goes to the search; pasted or dropped addresses go to the dialog.
// Emits `open`, and `addresses` with the text (by `idmInPieces`).

const MAX_CHARACTERS = 8_000_000; // more than the form can take

function isEditable(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"));
}

function isText({ type, name, size }) {
  return size <= MAX_CHARACTERS && (type.startsWith("text/") || /\.(txt|list|urls?|csv|md)$/i.test(name));
}

export default {
  emits: ["open", "piece", "addresses"],
  template: `<span hidden></span>`,
  mounted() {
    this.listeners = { keydown: this.onKey, paste: this.onPaste, dragover: this.onDragOver, drop: this.onDrop };
    for (const [type, listener] of Object.entries(this.listeners)) document.addEventListener(type, listener);
  },
  unmounted() {
    for (const [type, listener] of Object.entries(this.listeners)) document.removeEventListener(type, listener);
  },
  methods: {
    onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || isEditable(event.target)) return;
      if (document.querySelector("[role=dialog]")) return;
      if (event.key === "n") this.$emit("open");
      else if (event.key === "/") document.querySelector("input.search")?.focus();
      else return;
      event.preventDefault();
    },
    onPaste(event) {
      if (!isEditable(event.target)) this.take(event, event.clipboardData.getData("text/plain"));
    },
    onDragOver(event) {
      if (["text/uri-list", "Files"].some((type) => event.dataTransfer.types.includes(type))) event.preventDefault();
    },
    async onDrop(event) {
      if (event.dataTransfer.files.length) {
        event.preventDefault();
        const texts = [...event.dataTransfer.files].filter(isText).map((file) => file.text());
        return this.take(event, (await Promise.all(texts)).join("\n"));
      }
      const text = event.dataTransfer.getData("text/uri-list");
      if (!isEditable(event.target)) this.take(event, text.replace(/^#.*$/gm, ""));
    },
    take(event, text) {
      if (!/https?:\/\//i.test(text)) return;
      event.preventDefault();
      this.$emit("addresses", window.idmInPieces(this.$emit, text.slice(0, MAX_CHARACTERS)));
    },
  },
};
