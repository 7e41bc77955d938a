// Which language the dashboard speaks: kept in a cookie, because the server writes the words.

export default {
  props: { languages: Object, chosen: String },
  template: `
    <select class="language-menu" :value="chosen" :aria-label="words.language" :title="words.language"
            @change="choose($event.target.value)">
      <option v-for="(name, language) in languages" :key="language" :value="language" :lang="language">{{ name }}</option>
    </select>`,
  created() {
    this.words = window.idmWords;
  },
  methods: {
    choose(language) {
      document.cookie = `language=${language}; path=/; max-age=31536000; SameSite=Strict`;
      location.reload();
    },
  },
};
