// Every option, searchable; `values` are the server's. Emits `change` {field, value}.
// What concerns this browser alone (theme, language, notices) is kept here and never sent.

const THEMES = ["auto", "light", "dark"];

export default {
  props: { groups: Array, values: Object, problems: Object, languages: Object, language: String },
  emits: ["change"],
  template: `
    <div class="options">
      <input v-model="searched" type="search" class="search" :placeholder="words.search_options"
             :aria-label="words.search_options">
      <section v-for="group in found" :key="group.name" :aria-label="group.label">
        <h2>{{ group.label }}</h2>
        <div v-for="option in group.options" :key="option.field" class="option">
          <div class="about"><label :for="'option-' + option.field">{{ option.label }}</label>
            <p :id="'help-' + option.field">{{ option.help }}</p>
            <p v-if="problems[option.field]" class="problem" role="alert">{{ problems[option.field] }}</p></div>
          <input v-if="option.kind === 'switch'" :id="'option-' + option.field" type="checkbox" role="switch" class="switch"
                 :checked="values[option.field]" :aria-describedby="'help-' + option.field"
                 @change="$emit('change', { field: option.field, value: $event.target.checked })">
          <span v-else class="amount">
            <input :id="'option-' + option.field" type="number" :min="shown(option, option.least)" :max="shown(option, option.most)"
                   :value="shown(option, values[option.field])" :aria-describedby="'help-' + option.field"
                   :aria-invalid="problems[option.field] ? 'true' : null"
                   :placeholder="option.kind === 'rate' ? words.no_limit : ''" @change="change(option, $event.target)">
            <span v-if="option.kind === 'rate'">kB/s</span></span>
        </div>
      </section>
      <section v-if="fits(words.this_browser, words.theme, words.language, words.notices, words.sound)"
               :aria-label="words.this_browser">
        <h2>{{ words.this_browser }}</h2>
        <div class="option"><div class="about"><label for="option-language">{{ words.language }}</label></div>
          <select id="option-language" :value="language" @change="speak($event.target.value)">
            <option v-for="(name, code) in languages" :key="code" :value="code" :lang="code">{{ name }}</option></select></div>
        <div class="option"><div class="about"><label for="option-theme">{{ words.theme }}</label></div>
          <select id="option-theme" :value="theme" @change="dress($event.target.value)">
            <option v-for="one in themes" :key="one" :value="one">{{ words[one] }}</option></select></div>
        <div class="option"><div class="about"><label for="option-notices">{{ words.notices }}</label>
            <p id="help-notices">{{ permission === "denied" ? words.notices_denied : words.notices_help }}</p></div>
          <input id="option-notices" type="checkbox" role="switch" class="switch" :checked="notices"
                 :disabled="permission === 'denied' || !permission" aria-describedby="help-notices" @change="notify"></div>
        <div class="option"><div class="about"><label for="option-sound">{{ words.sound }}</label></div>
          <input id="option-sound" type="checkbox" role="switch" class="switch" :checked="sound" @change="ring"></div>
      </section>
      <p v-if="!found.length && searched" class="hint">{{ words.no_option_fits }}</p>
    </div>`,
  data() {
    return {
      searched: "",
      theme: document.documentElement.dataset.theme,
      permission: window.Notification?.permission,
      notices: window.Notification?.permission === "granted" && localStorage.getItem("notices") === "on",
      sound: localStorage.getItem("sound") === "on",
    };
  },
  created() {
    this.words = window.idmWords;
    this.themes = THEMES;
  },
  computed: {
    found() {
      return this.groups
        .map((group) => ({ ...group, options: group.options.filter((o) => this.fits(o.label, o.help, group.label)) }))
        .filter((group) => group.options.length);
    },
  },
  methods: {
    fits(...texts) {
      return texts.join(" ").toLocaleLowerCase().includes(this.searched.trim().toLocaleLowerCase());
    },
    shown({ kind }, value) {
      return kind === "rate" && value !== null ? Math.round(value / 1000) : value;
    },
    change({ field, kind }, input) {
      const typed = input.value === "" ? null : Number(input.value);
      this.$emit("change", { field, value: kind === "rate" && typed !== null ? Math.round(typed * 1000) : typed });
    },
    speak(language) {
      const path = new URL(".", location).pathname;
      document.cookie = `language=${language}; path=${path}; max-age=31536000; SameSite=Strict`;
      location.reload();
    },
    dress(theme) {
      this.theme = document.documentElement.dataset.theme = theme;
      localStorage.setItem("theme", theme);
      setDark({ auto: null, light: false, dark: true }[theme]); // NiceGUI's own function
    },
    async notify({ target }) {
      if (target.checked) this.permission = await Notification.requestPermission();
      this.notices = target.checked && this.permission === "granted";
      localStorage.setItem("notices", this.notices ? "on" : "off");
      target.checked = this.notices;
    },
    ring({ target }) {
      this.sound = target.checked;
      localStorage.setItem("sound", this.sound ? "on" : "off");
    },
  },
};
