// The frame of the list: filters, column heads, the rows in the slot, the pager. Picks, keys and the order of focus.
// Emits `pick` {id, how: only | toggle | range}, `select-all` with a boolean, `turn` with -1 or 1, `sort` with a
// column, `narrow` {status, day}, `details` with an id, `delete`. The rows' own events bubble through.

const widths = {
  status: "minmax(120px, 0.7fr)",
  size: "minmax(96px, 132px)",
  rate: "minmax(70px, 88px)",
  eta: "minmax(64px, 92px)",
  added: "var(--added)",
  site: "var(--site)",
};
const hiddenAtFirst = ["added", "site"];
const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

function isEditable(target) {
  return target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

export default {
  props: {
    allSelected: Boolean, chosen: String, isEmpty: Boolean, place: String, hasNewer: Boolean, hasOlder: Boolean,
    sort: String, status: String, day: String, filters: Object, page: String,
  },
  emits: ["pick", "select-all", "turn", "sort", "narrow", "details", "delete"],
  template: `
    <div @click="onClick" @dblclick="onDoubleClick" @keydown="onKey" @focusin="hold" @focusout="letGo">
      <div class="list-tools">
        <select v-for="(options, name) in filters" :key="name" :class="{ set: this[name] }" :aria-label="name === 'day' ? words.day_filter : words.status_filter"
                :value="this[name] ?? ''" @change="narrow(name, $event.target.value)">
          <option v-for="(label, value) in options" :key="value" :value="value">{{ label }}</option>
        </select>
        <span class="hint" aria-live="polite">{{ chosen }}</span>
        <details ref="columns" class="columns-menu" @focusout="closeColumns" @keydown.esc.stop="escapeColumns">
          <summary :aria-label="words.choose_columns" :title="words.choose_columns">
            <i class="material-icons" aria-hidden="true">view_column</i></summary>
          <fieldset class="popover" tabindex="-1"><legend class="unseen">{{ words.choose_columns }}</legend>
            <label v-for="name in names" :key="name">
              <input type="checkbox" :checked="!hidden.includes(name)" @change="toggleColumn(name)"> {{ words.columns[name] }}
            </label>
          </fieldset>
        </details>
      </div>
      <div v-show="!isEmpty" class="downloads" :class="hidden.map(name => 'no-' + name)" :style="{ '--columns': template }">
        <div class="columns">
          <label class="pick">
            <input type="checkbox" :checked="allSelected" :aria-label="words.select_all"
                   @change="$emit('select-all', $event.target.checked)">
          </label>
          <button v-for="name in ['name', ...names]" :key="name" type="button" :class="[name, { sorted: sorted === name }]"
                  :title="words.sort_by + ' ' + words.columns[name]" @click="$emit('sort', name)">
            <span>{{ words.columns[name] }}</span>
            <i v-if="sorted === name" class="material-icons" aria-hidden="true">{{ arrow }}</i>
            <span v-if="sorted === name" class="unseen">{{ words[arrow] }}</span>
          </button>
        </div>
        <div ref="list" class="list" role="list" :aria-label="words.list"><slot></slot></div>
      </div>
      <div v-if="place" class="pager">
        <button type="button" class="tool" :disabled="!hasNewer" @click="$emit('turn', -1)">
          <i class="material-icons" aria-hidden="true">chevron_left</i><span>{{ words.newer }}</span>
        </button>
        <span>{{ place }}</span>
        <button type="button" class="tool" :disabled="!hasOlder" @click="$emit('turn', 1)">
          <span>{{ words.older }}</span><i class="material-icons" aria-hidden="true">chevron_right</i>
        </button>
      </div>
    </div>`,
  data: () => ({ hidden: JSON.parse(localStorage.getItem("hidden-columns") ?? JSON.stringify(hiddenAtFirst)) }),
  created() {
    this.words = window.idmWords;
    this.names = Object.keys(widths);
  },
  mounted() {
    document.addEventListener("keydown", this.onPageKey);
    this.rows = new MutationObserver((changes) => {
      const isGone = ({ removedNodes }) => [...removedNodes].includes(this.held?.row);
      this.keepPlace(changes.some(isGone)); // also when it was only moved
    });
    this.rows.observe(this.$refs.list, { childList: true });
    this.keepPlace(false);
  },
  unmounted() {
    document.removeEventListener("keydown", this.onPageKey);
    this.rows.disconnect();
  },
  watch: {
    page() {
      this.$el.closest(".content").scrollTop = 0;
    },
  },
  computed: {
    template() {
      const shown = this.names.filter((name) => !this.hidden.includes(name)).map((name) => widths[name]);
      return ["20px 32px minmax(120px, 1fr)", ...shown, "var(--actions)"].join(" ");
    },
    sorted() {
      return this.sort?.replace("-", "");
    },
    arrow() {
      return this.sort?.startsWith("-") ? "arrow_downward" : "arrow_upward";
    },
  },
  methods: {
    row() {
      return this.$refs.list.querySelector("[tabindex='0']");
    },
    narrow(name, value) {
      this.$emit("narrow", { status: this.status ?? "", day: this.day ?? "", [name]: value });
    },
    toggleColumn(name) {
      this.hidden = this.hidden.includes(name) ? this.hidden.filter((other) => other !== name) : [...this.hidden, name];
      localStorage.setItem("hidden-columns", JSON.stringify(this.hidden));
    },
    // A press on a label's text gives the focus to the next that can have it: the fieldset, not what is outside.
    closeColumns({ relatedTarget, currentTarget }) {
      if (relatedTarget && !currentTarget.contains(relatedTarget)) currentTarget.open = false;
    },
    hold({ target }) {
      const row = target.closest(".download");
      if (row) this.held = { row, target, place: [...this.$refs.list.children].indexOf(row) };
    },
    // A button may go with what it can do no more.
    async letGo({ target }) {
      await this.$nextTick();
      this.keepPlace(target === this.held?.target && !target.isConnected);
    },
    escapeColumns() {
      this.$refs.columns.open = false;
      this.$refs.columns.firstElementChild.focus();
    },
    // What is moved or removed loses the focus: it stays, or goes to what has taken its place, else every key would begin
    // at the top of the page again. One row can be reached with Tab; the arrows go on from there.
    keepPlace(isLost) {
      const rows = [...this.$refs.list.children];
      if (isLost && document.activeElement === document.body) {
        const { row, target, place } = this.held;
        if (target.isConnected && target !== row) target.focus({ preventScroll: true });
        else if (rows.length) this.focusRow(row.isConnected ? row : rows[Math.min(place, rows.length - 1)], { preventScroll: true });
      }
      if (this.held?.row.isConnected) this.held.place = rows.indexOf(this.held.row);
      if (!this.row()) rows[0]?.setAttribute("tabindex", "0");
    },
    focusRow(row, options) {
      this.row()?.setAttribute("tabindex", "-1");
      row.setAttribute("tabindex", "0");
      row.focus(options);
    },
    pick(row, how) {
      this.$emit("pick", { id: Number(row.dataset.downloadId), how });
    },
    onClick(event) {
      const box = event.target.closest(".pick input");
      const row = event.target.closest(".download");
      if (!row) return;
      if (box) return this.pick(row, event.shiftKey ? "range" : "toggle");
      if (event.shiftKey) getSelection().removeAllRanges();
      if (event.target.closest("a, button, label, details") || getSelection().type === "Range") return;
      this.focusRow(row);
      if (event.shiftKey) this.pick(row, "range");
      else if (event.ctrlKey || event.metaKey) this.pick(row, "toggle");
      else if (event.pointerType === "touch") this.$emit("details", Number(row.dataset.downloadId));
      else this.pick(row, "only");
    },
    onDoubleClick(event) {
      const row = event.target.closest(".download");
      if (!row || event.target.closest("a, button, label, details")) return;
      getSelection().removeAllRanges();
      this.$emit("details", Number(row.dataset.downloadId));
    },
    onKey(event) {
      const row = event.target.closest(".download");
      if (!row || isEditable(event.target) || event.altKey) return;
      const isOnRow = event.target === row;
      if (event.key in steps) this.step(row, event);
      else if (event.key === " " && isOnRow) this.pick(row, "toggle");
      else if (event.key === "Enter" && isOnRow) this.$emit("details", Number(row.dataset.downloadId));
      else if (event.key === "Delete") this.$emit("delete", Number(row.dataset.downloadId));
      else return;
      event.preventDefault();
    },
    step(row, event) {
      const rows = [...this.$refs.list.children];
      const wanted = rows.indexOf(row) + steps[event.key];
      const next = rows[Math.min(Math.max(wanted, 0), rows.length - 1)];
      if (next === row) {
        if (steps[event.key] === 1 && this.hasOlder) this.turn(1);
        if (steps[event.key] === -1 && this.hasNewer) this.turn(-1);
        return;
      }
      this.focusRow(next);
      if (event.shiftKey) this.pick(next, "range");
      else if (!event.ctrlKey && !event.metaKey) this.pick(next, "only");
    },
    turn(pages) {
      this.$emit("turn", pages);
      const arrived = new MutationObserver(() => {
        arrived.disconnect();
        requestAnimationFrame(() => {
          const row = this.$refs.list[pages > 0 ? "firstElementChild" : "lastElementChild"];
          this.focusRow(row);
          this.pick(row, "only");
        });
      });
      arrived.observe(this.$refs.list, { childList: true });
    },
    onPageKey(event) {
      if (isEditable(event.target) || document.querySelector("[role=dialog], dialog[open], [role=menu]")) return;
      if ((event.ctrlKey || event.metaKey) && event.key === "a") this.$emit("select-all", true);
      else if (event.key === "Escape") this.$emit("select-all", false);
      else return;
      event.preventDefault();
    },
  },
};
