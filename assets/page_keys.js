// Anywhere on the page: `n` opens the Add dialog, `/` goes to the search; pasted or dropped addresses go to the dialog.
// Emits `open`, `addresses` with the text, and `draft` with what a form that has gone has left (both by `idmInPieces`).

const MAX_CHARACTERS = 8_000_000; // more than the form can take

function isEditable(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"));
}

function isText({ type, name, size }) {
  return size <= MAX_CHARACTERS && (type.startsWith("text/") || /\.(txt|list|urls?|csv|md)$/i.test(name));
}

export default {
  emits: ["open", "piece", "addresses", "draft"],
  template: `<span hidden></span>`,
  created() {
    this.left = sessionStorage.getItem("draft"); // before anybody can type anything new
  },
  mounted() {
    this.listeners = { keydown: this.onKey, paste: this.onPaste, dragover: this.onDragOver, drop: this.onDrop };
    this.listeners.dragstart = () => (this.isOwn = true); // what is dragged within the page is nothing new
    this.listeners.dragend = () => (this.isOwn = false);
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
      const has = (type) => event.dataTransfer.types.includes(type);
      const isOurs = !this.isOwn && !isEditable(event.target) && (has("text/uri-list") || has("text/plain"));
      if (isOurs || has("Files")) event.preventDefault(); // a file would be opened instead of the page
    },
    async onDrop(event) {
      if (event.dataTransfer.files.length) {
        event.preventDefault();
        const texts = [...event.dataTransfer.files].filter(isText).map((file) => file.text());
        return this.take(event, (await Promise.all(texts)).join("\n"));
      }
      if (this.isOwn || isEditable(event.target)) return;
      const links = event.dataTransfer.getData("text/uri-list").replace(/^#.*$/gm, "");
      this.take(event, links || event.dataTransfer.getData("text/plain"));
    },
    // What the page before this one has left; what is typed meanwhile is no draft of it.
    takeLeft() {
      if (sessionStorage.getItem("draft") === this.left) sessionStorage.removeItem("draft");
      if (this.left) this.$emit("draft", window.idmInPieces(this.$emit, this.left));
      this.left = null;
    },
    takeDraft(isWanted) {
      const draft = sessionStorage.getItem("draft");
      sessionStorage.removeItem("draft");
      if (draft && isWanted) this.$emit("draft", window.idmInPieces(this.$emit, draft));
    },
    take(event, text) {
      if (!/https?:\/\//i.test(text)) return;
      event.preventDefault();
      this.$emit("addresses", window.idmInPieces(this.$emit, text.slice(0, MAX_CHARACTERS)));
    },
  },
};
