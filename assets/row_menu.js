// What can be done with a download, where the pointer is: listens to the rows' `row-menu`.
// Saves and copies for the server, too, and copies what a `copy-text` {text} holds. Emits `choose` {id, action}, and `choose` {action} for what is done with the `selected` ones, if there are several.

const prefix = new URL(import.meta.url).pathname.split("/_nicegui/")[0]; // right behind a proxy's sub-path, too
const icons = {
  save: "save_alt", look: "play_circle", open: "open_in_new", folder: "folder_open", pause: "pause", resume: "play_arrow",
  retry: "refresh", redownload: "restart_alt", refresh_address: "link", up: "arrow_upward", down: "arrow_downward",
  copy_address: "content_copy", properties: "info", remove: "delete_outline", resume_selected: "play_arrow",
  stop_selected: "pause", zip_selected: "folder_zip", delete_selected: "delete_outline",
};
const forMany = ["resume_selected", "stop_selected", "zip_selected", "delete_selected"];

export default {
  props: { selected: Number },
  emits: ["choose"],
  template: `
    <div v-if="state" ref="menu" class="popover menu" role="menu" :aria-label="state.title" :style="place"
         @keydown="onKey" @focusout="onFocusOut">
      <button v-for="action in actions" :key="action" type="button" role="menuitem" tabindex="-1" :class="action"
              @click="choose(action)">
        <i class="material-icons" aria-hidden="true">{{ icons[action] }}</i>{{ words[action] }}
      </button>
    </div>
    <span v-else hidden></span>`,
  data: () => ({ state: null, many: false, place: null }),
  created() {
    this.words = window.idmWords;
    this.icons = icons;
    document.addEventListener("row-menu", this.open);
    document.addEventListener("copy-text", this.copyFor);
  },
  unmounted() {
    document.removeEventListener("row-menu", this.open);
    document.removeEventListener("copy-text", this.copyFor);
  },
  computed: {
    actions() {
      if (this.many) return forMany;
      const { status, file_url, can_look, actions } = this.state;
      return [
        ...(file_url ? ["save"] : []),
        ...(can_look ? ["look"] : []),
        ...(file_url && window.idmDesktop ? ["open", "folder"] : []),
        ...actions.filter((action) => action !== "remove"),
        ...(status === "completed" || status === "failed" ? ["redownload"] : []),
        ...(status === "completed" ? [] : ["refresh_address"]),
        ...(status === "queued" ? ["up", "down"] : []),
        "copy_address",
        "properties",
        "remove",
      ];
    },
  },
  methods: {
    async open({ detail: { state, selected, x, y } }) {
      this.opener = document.activeElement;
      this.many = selected && this.selected > 1;
      this.state = state;
      this.place = { insetInlineStart: "0", top: "0", visibility: "hidden" };
      await this.$nextTick();
      const { offsetWidth, offsetHeight } = this.$refs.menu;
      const left = Math.max(4, Math.min(x, innerWidth - offsetWidth - 4));
      const top = Math.max(4, Math.min(y, innerHeight - offsetHeight - 4));
      this.place = { left: left + "px", top: top + "px" };
      await this.$nextTick();
      this.$refs.menu.firstElementChild.focus();
    },
    close() {
      this.state = null;
      this.opener?.focus();
    },
    choose(action) {
      if (action === "save") this.save(this.state.file_url);
      else this.$emit("choose", this.many ? { action } : { id: this.state.id, action });
      this.close();
    },
    save(path) {
      const link = Object.assign(document.createElement("a"), { href: prefix + path, download: "" });
      document.body.append(link);
      link.click();
      link.remove();
    },
    copyFor({ detail }) {
      this.copy(detail.text);
    },
    copy(text) {
      if (navigator.clipboard) return navigator.clipboard.writeText(text);
      const field = Object.assign(document.createElement("textarea"), { value: text }); // plain http on a LAN
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    },
    onFocusOut({ relatedTarget, currentTarget }) {
      if (!currentTarget.contains(relatedTarget)) this.state = null;
    },
    onKey(event) {
      const entries = [...this.$refs.menu.children];
      const now = entries.indexOf(document.activeElement);
      const wanted = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
      if (wanted !== undefined) entries.at(wanted % entries.length).focus();
      else if (event.key === "Escape" || event.key === "Tab") this.close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  },
};
