// Browsers start no sound that nobody asked for.

/** Play; where the browser would not with sound, then without, and `muted` is told. */
export async function autoplay(video, muted) {
  try {
    await video.play();
  } catch (error) {
    if (error.name !== "NotAllowedError") return;
    video.muted = true;
    muted();
    // Refused even muted: the controls are there.
    await video.play().catch(() => {});
  }
}
