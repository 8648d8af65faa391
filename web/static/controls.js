// The buttons under the picture: play, sound, picture-in-picture, fullscreen.

const IDLE_MS = 3000;

export class Controls {
  #video;
  #theatre = document.querySelector(".theatre");
  #volume = document.getElementById("volume");
  #idle = 0;

  constructor(video) {
    this.#video = video;
    this.#volume.addEventListener("input", () => {
      video.volume = Number(this.#volume.value);
      video.muted = video.volume === 0;
    });
    const play = () => (video.paused ? video.play().catch(() => {}) : video.pause());
    this.#button("play", play);
    video.addEventListener("click", play);
    this.#button("mute", () => {
      if (video.volume === 0) video.volume = 1;
      video.muted = !video.muted;
    });
    for (const event of ["play", "pause", "volumechange"]) video.addEventListener(event, () => this.#show());
    this.#offerPictureInPicture();
    this.#offerFullscreen();
    this.#show();
  }

  #show() {
    const { paused, muted, volume } = this.#video;
    name("play", paused ? "Play" : "Pause", paused);
    name("mute", muted ? "Turn the sound on" : "Turn the sound off", muted);
    this.#volume.value = String(muted ? 0 : volume);
  }

  #offerPictureInPicture() {
    const video = this.#video;
    const button = this.#button("pip", () =>
      document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture().catch(() => {}),
    );
    button.hidden = !document.pictureInPictureEnabled;
    video.addEventListener("enterpictureinpicture", () => name("pip", "Leave picture-in-picture", true));
    video.addEventListener("leavepictureinpicture", () => name("pip", "Picture-in-picture", false));
  }

  /** With everything under the picture, where the browser can; iPhones put the video alone there. */
  #offerFullscreen() {
    const theatre = this.#theatre;
    const button = this.#button("fullscreen", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (document.fullscreenEnabled) theatre.requestFullscreen().catch(() => {});
      else this.#video.webkitEnterFullscreen();
    });
    button.hidden = !document.fullscreenEnabled && !this.#video.webkitEnterFullscreen;
    const wake = () => {
      clearTimeout(this.#idle);
      delete theatre.dataset.idle;
      if (document.fullscreenElement) this.#idle = setTimeout(() => (theatre.dataset.idle = ""), IDLE_MS);
    };
    for (const event of ["pointermove", "pointerdown", "keydown"]) theatre.addEventListener(event, wake);
    document.addEventListener("fullscreenchange", () => {
      const full = document.fullscreenElement !== null;
      name("fullscreen", full ? "Leave fullscreen" : "Fullscreen", full);
      wake();
    });
  }

  #button(id, act) {
    const button = document.getElementById(id);
    button.addEventListener("click", act);
    return button;
  }
}

/** What the button does next, for the eye and for screen readers; `other` shows its second icon. */
function name(id, label, other) {
  const button = document.getElementById(id);
  button.setAttribute("aria-label", label);
  button.title = label;
  button.toggleAttribute("data-other", other);
}
