// What has ended, politely: one toast, one system notification, one sound, however many there were. `state`: the
// status bar's, for the tab's title and icon.

const GATHER_MS = 1000;
const ICON_PX = 64;

export default {
  mixins: [window.idmLive],
  template: `<span hidden></span>`,
  created() {
    this.words = window.idmWords;
    this.waiting = [];
  },
  mounted() {
    this.title = document.title;
    this.icon = document.querySelector("link[rel~=icon]");
    this.plainIcon = this.icon?.href;
    this.showProgress(this.state.progress);
  },
  unmounted() {
    clearTimeout(this.gathering);
  },
  watch: {
    "state.progress"(progress) {
      this.showProgress(progress);
    },
  },
  methods: {
    tell(ended) {
      this.waiting.push(...ended);
      this.gathering ??= setTimeout(this.tellAll, GATHER_MS);
    },
    tellAll() {
      const ended = this.waiting.splice(0);
      this.gathering = undefined;
      const failed = ended.filter((one) => one.failed).length;
      const text = ended.length === 1 ? ended[0].text : this.ofMany(ended.length, failed);
      const body = ended.length === 1 ? ended[0].why : ended.slice(0, 3).map((one) => one.text).join("\n");
      const looks = failed ? { type: "negative", icon: "error_outline" } : { type: "positive", icon: "download_done" };
      Quasar.Notify.create({ ...looks, message: text, caption: ended.length === 1 ? body : "", group: false });
      if (localStorage.getItem("sound") === "on") ring(failed > 0);
      if (document.hidden && localStorage.getItem("notices") === "on" && window.Notification?.permission === "granted") {
        const notice = new Notification(text, { body, icon: this.plainIcon, tag: `idm-${ended.at(-1).id}` }); // one for all tabs
        notice.onclick = () => window.focus();
      }
    },
    ofMany(count, failed) {
      const form = new Intl.PluralRules(window.idmLocale).select(count);
      const texts = failed ? this.words.ended_many_failed : this.words.ended_many;
      const number = new Intl.NumberFormat(window.idmLocale);
      return texts[form].replace("{count}", number.format(count)).replace("{failed}", number.format(failed));
    },
    showProgress(progress) {
      const percent = progress === null ? null : Math.floor(progress);
      if (percent === this.percent) return;
      this.percent = percent;
      document.title = percent === null ? this.title : `${percent} % · ${this.title}`;
      if (this.icon) this.icon.href = percent === null ? this.plainIcon : ringIcon(percent);
    },
  },
};

function ringIcon(percent) {
  const canvas = Object.assign(document.createElement("canvas"), { width: ICON_PX, height: ICON_PX });
  const context = canvas.getContext("2d");
  const middle = ICON_PX / 2;
  context.lineWidth = 12;
  const arc = (color, part) => {
    context.strokeStyle = color;
    context.beginPath();
    context.arc(middle, middle, middle - 8, -Math.PI / 2, (part * 2 - 0.5) * Math.PI);
    context.stroke();
  };
  arc("#94a3b855", 1);
  arc("#0f9d8a", percent / 100);
  return canvas.toDataURL();
}

// Two short tones, up for good news, down for bad.
function ring(isBad) {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.gain.value = 0.08;
  volume.connect(context.destination);
  for (const [number, hertz] of (isBad ? [660, 440] : [660, 880]).entries()) {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(volume);
    tone.start(context.currentTime + number * 0.14);
    tone.stop(context.currentTime + number * 0.14 + 0.12);
    if (number) tone.onended = () => context.close();
  }
}
