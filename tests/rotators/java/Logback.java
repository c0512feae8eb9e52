import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** logback: Logback DIRECTORY MANNER SECONDS. */
final class Logback {
  private static final String FILE = "<file>DIR/app.log</file>";

  private static final Map<String, String> MANNERS =
      Map.of(
          // At most 20 files stay.
          "size",
              FILE
                  + "<rollingPolicy class='ch.qos.logback.core.rolling.FixedWindowRollingPolicy'>"
                  + "<fileNamePattern>DIR/app.%i.log</fileNamePattern><minIndex>1</minIndex><maxIndex>20</maxIndex></rollingPolicy>"
                  + "<triggeringPolicy class='ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy'>"
                  + "<maxFileSize>64KB</maxFileSize><checkIncrement>1 milliseconds</checkIncrement></triggeringPolicy>",
          "time", FILE + byTime("DIR/app.%d{yyyy-MM-dd_HH-mm-ss}.log"),
          "time-gzip", FILE + byTime("DIR/app.%d{yyyy-MM-dd_HH-mm-ss}.log.gz"),
          "both", FILE + byBoth("DIR/app-%d{yyyy-MM-dd}.%i.log"),
          "both-gzip", FILE + byBoth("DIR/app-%d{yyyy-MM-dd}.%i.log.gz"),
          "subdirectory", FILE + byBoth("DIR/%d{yyyy-MM,aux}/app.%d{yyyy-MM-dd}.%i.log.gz"),
          "subdirectory-plain", FILE + byBoth("DIR/archive/app.%d{yyyy-MM-dd}.%i.log"),
          "no-file", byBoth("DIR/app-%d{yyyy-MM-dd}.%i.log"));

  private static String byTime(String pattern) {
    return "<rollingPolicy class='ch.qos.logback.core.rolling.TimeBasedRollingPolicy'><fileNamePattern>"
        + pattern
        + "</fileNamePattern></rollingPolicy>";
  }

  private static String byBoth(String pattern) {
    return "<rollingPolicy class='ch.qos.logback.core.rolling.SizeAndTimeBasedRollingPolicy'><fileNamePattern>"
        + pattern
        + "</fileNamePattern><maxFileSize>16KB</maxFileSize><checkIncrement>1 milliseconds</checkIncrement></rollingPolicy>";
  }

  public static void main(String[] arguments) throws Exception {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    String text =
        "<configuration><appender name='file' class='ch.qos.logback.core.rolling.RollingFileAppender'>"
            + MANNERS.get(arguments[1]).replace("DIR", arguments[0])
            + "<encoder><pattern>%msg%n</pattern></encoder></appender>"
            + "<root level='info'><appender-ref ref='file'/></root></configuration>";
    configurator.doConfigure(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    Logger logger = context.getLogger("app");
    int written = Numbered.writeFor(Double.parseDouble(arguments[2]), logger::info);
    // Compression under way is waited for.
    context.stop();
    System.out.println(written);
  }
}
