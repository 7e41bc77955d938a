// The connection of this tab, on the pages without a status bar: seen only while there is none.

export default {
  mixins: [window.idmConnection],
  template: `<span class="connection" role="status" :data-connection="connection">{{ words[connection] }}</span>`,
  created() {
    this.words = window.idmWords;
  },
};
