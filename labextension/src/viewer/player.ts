/** A clock that moves a view on, picture by picture. */

const FRAMES_PER_SECOND = 12;

export class Player {
  constructor(
    private readonly advance: () => void,
    private readonly changed: (playing: boolean) => void
  ) {}

  toggle(): void {
    if (this.timer) {
      this.stop();
    } else {
      this.timer = window.setInterval(this.advance, 1000 / FRAMES_PER_SECOND);
      this.changed(true);
    }
  }

  stop(): void {
    if (this.timer) {
      window.clearInterval(this.timer);
      this.timer = 0;
      this.changed(false);
    }
  }

  dispose(): void {
    window.clearInterval(this.timer);
  }

  private timer = 0;
}
