// What can be shown, each with its live count (`state`: key → number). Emits `choose` with a key.

export default {
  mixins: [window.idmLive],
  props: { groups: Array, chosen: String },
  emits: ["choose"],
  created() {
    this.number = new Intl.NumberFormat(window.idmLocale);
  },
  template: `
    <nav class="filters">
      <section v-for="group in groups" :key="group.label" :aria-label="group.label">
        <h2>{{ group.label }}</h2>
        <button v-for="entry in group.entries" :key="entry.key" type="button" :class="entry.key"
                :aria-current="entry.key === chosen ? 'true' : null" @click="$emit('choose', entry.key)">
          <i class="material-icons" aria-hidden="true">{{ entry.icon }}</i>
          <span class="label">{{ entry.label }}</span>
          <span class="count">{{ number.format(state[entry.key] ?? 0) }}</span>
        </button>
      </section>
    </nav>`,
};
