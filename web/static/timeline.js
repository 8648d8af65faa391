// Where a live stream can be played, and which moment each position is.

const LIVE_WITHIN_S = 3; // a player that is so near keeps up with live by itself
const OLDEST_S = 2; // the oldest segment leaves the window while it is loaded

export class Timeline {
  #video;
  #hls;

  /** `hls` is null where the browser's own player plays. */
  constructor(video, hls) {
    this.#video = video;
    this.#hls = hls;
  }

  /**
   * What can be seen again, in seconds of the stream: {start, live, position, isLive}. `live` is where a player that keeps
   * up is, `position` what is on the screen. Null while unknown.
   */
  get window() {
    const span = this.#hls ? this.#hlsSpan() : this.#nativeSpan();
    if (!span) return null;
    const position = this.#video.currentTime;
    return { ...span, position, isLive: span.live - position < LIVE_WITHIN_S };
  }

  /** The nearest position that can be shown; null stands for live. */
  nearest(position) {
    const { start, live } = this.window;
    return live - position < LIVE_WITHIN_S ? null : Math.max(position, Math.min(start + OLDEST_S, live));
  }

  /** When what is at this position was recorded: a Date by the playlist's clock, null while unknown. */
  dateAt(position) {
    if (!this.#hls) return this.#nativeDate(position);
    const fragments = this.#hls.latestLevelDetails?.fragments ?? [];
    const fragment = fragments.findLast(({ start }) => start <= position) ?? fragments[0];
    if (!fragment?.programDateTime) return null;
    return new Date(fragment.programDateTime + (position - fragment.start) * 1000);
  }

  /** When what is on the screen was recorded. */
  get date() {
    return this.#hls ? this.#hls.playingDate : this.#nativeDate(this.#video.currentTime);
  }

  #hlsSpan() {
    const details = this.#hls.latestLevelDetails;
    const live = this.#hls.liveSyncPosition;
    return details && live !== null ? { start: Math.min(details.fragmentStart, live), live } : null;
  }

  #nativeSpan() {
    const { seekable } = this.#video;
    return seekable.length ? { start: seekable.start(0), live: seekable.end(seekable.length - 1) } : null;
  }

  #nativeDate(position) {
    const start = this.#video.getStartDate?.();
    return start && !Number.isNaN(start.getTime()) ? new Date(start.getTime() + position * 1000) : null;
  }
}
