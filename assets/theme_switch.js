// Like the system, light, dark: kept in this browser.

const next = { auto: "light", light: "dark", dark: "auto" };
const icons = { auto: "brightness_auto", light: "light_mode", dark: "dark_mode" };
const inQuasar = { auto: null, light: false, dark: true };

export default {
  template: `
    <button type="button" class="theme-switch" :aria-label="label" :title="label" @click="choose(next[theme])">
      <i class="material-icons" aria-hidden="true">{{ icons[theme] }}</i>
    </button>`,
  data: () => ({ theme: document.documentElement.dataset.theme }),
  created() {
    this.next = next;
    this.icons = icons;
  },
  mounted() {
    this.choose(this.theme);
  },
  computed: {
    label() {
      return window.idmWords.theme + ": " + window.idmWords[this.theme];
    },
  },
  methods: {
    choose(theme) {
      this.theme = document.documentElement.dataset.theme = theme;
      localStorage.setItem("theme", theme);
      setDark(inQuasar[theme]); // NiceGUI's own function
    },
  },
};
