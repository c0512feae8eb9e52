import java.util.logging.FileHandler;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** java.util.logging: JavaUtilLogging DIRECTORY MANNER SECONDS. The newest file is app.0.log. */
final class JavaUtilLogging {
  public static void main(String[] arguments) throws Exception {
    FileHandler handler = new FileHandler(arguments[0] + "/app.%g.log", 16_000, 1000);
    handler.setFormatter(
        new Formatter() {
          @Override
          public String format(LogRecord record) {
            return record.getMessage() + "\n";
          }
        });
    Logger logger = Logger.getLogger("app");
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    int written = Numbered.writeFor(Double.parseDouble(arguments[2]), logger::info);
    handler.close();
    System.out.println(written);
  }
}
