// The frame of the list: column names above the rows in the slot, the pager below them.
// Emits `select-all` with a boolean, `turn` with -1 or 1. The rows' own events bubble through.

export default {
  props: { allSelected: Boolean, place: String, hasNewer: Boolean, hasOlder: Boolean },
  emits: ["select-all", "turn"],
  template: `
    <div>
      <div class="downloads">
        <div class="columns">
          <label class="pick">
            <input type="checkbox" :checked="allSelected" :aria-label="words.select_all"
                   @change="$emit('select-all', $event.target.checked)">
          </label>
          <span v-for="(label, name) in words.columns" :key="name" :class="name" aria-hidden="true">{{ label }}</span>
        </div>
        <div class="list" role="list" :aria-label="words.list"><slot></slot></div>
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
  created() {
    this.words = window.idmWords;
  },
};
