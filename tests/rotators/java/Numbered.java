import java.util.function.Consumer;

/** The numbered lines, as numbered.py has them. */
final class Numbered {
  private static final int LINES_A_TICK = 10;
  private static final long TICK_MILLISECONDS = 10;

  private Numbered() {}

  static String line(int number) {
    return String.format("line %09d %013d %s", number, System.currentTimeMillis(), "x".repeat(1 + number * 7 % 80));
  }

  /** Hands lines to `log` for so long; answers their number. */
  static int writeFor(double seconds, Consumer<String> log) throws InterruptedException {
    System.out.println("writing");
    long end = System.nanoTime() + (long) (seconds * 1e9);
    int number = 0;
    while (System.nanoTime() < end) {
      for (int i = 0; i < LINES_A_TICK; i++) log.accept(line(number++));
      Thread.sleep(TICK_MILLISECONDS);
    }
    return number;
  }
}
