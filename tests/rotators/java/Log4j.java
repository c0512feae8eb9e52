import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;

/** Log4j 2: Log4j DIRECTORY MANNER SECONDS. */
final class Log4j {
  private static final String SIZE = "<SizeBasedTriggeringPolicy size='16KB'/>";
  private static final String EACH_SECOND = "<TimeBasedTriggeringPolicy interval='1'/>";

  /** Every file begins alike, and for longer than the head by which the agent knows a file. */
  private static final String HEADER = "# a header that every file has&#10;".repeat(50);

  private static final Map<String, String> MANNERS =
      Map.of(
          "size", appender("RollingFile", "fileName='DIR/app.log' filePattern='DIR/app.log.%i'", SIZE, "fileIndex='min' max='1000'"),
          "size-max", appender("RollingFile", "fileName='DIR/app.log' filePattern='DIR/app-%i.log'", SIZE, "fileIndex='max' max='1000'"),
          "time",
              appender("RollingFile", "fileName='DIR/app.log' filePattern='DIR/app.%d{yyyy-MM-dd-HH-mm-ss}.log'", EACH_SECOND, ""),
          "both-gzip",
              appender(
                  "RollingRandomAccessFile",
                  "fileName='DIR/app.log' filePattern='DIR/app-%d{yyyy-MM-dd-HH-mm-ss}-%i.log.gz'",
                  SIZE + EACH_SECOND,
                  "fileIndex='nomax'"),
          "subdirectory",
              appender(
                  "RollingFile",
                  "fileName='DIR/app.log' filePattern='DIR/$${date:yyyy-MM}/app-%d{MM-dd-yyyy}-%i.log.gz'",
                  SIZE,
                  "fileIndex='nomax'"),
          "header", appender("RollingFile", "fileName='DIR/app.log' filePattern='DIR/app.log.%i'", SIZE, "fileIndex='min' max='1000'")
              .replace("<PatternLayout ", "<PatternLayout header='" + HEADER + "' "),
          "direct", appender("RollingFile", "filePattern='DIR/app-%d{yyyy-MM-dd}-%i.log'", SIZE, null));

  private static String appender(String kind, String names, String policies, String strategy) {
    String rollover =
        strategy == null ? "<DirectWriteRolloverStrategy maxFiles='1000'/>" : "<DefaultRolloverStrategy " + strategy + "/>";
    return String.format(
        "<%s name='file' %s><PatternLayout pattern='%%m%%n'/><Policies>%s</Policies>%s</%s>",
        kind, names, policies, rollover, kind);
  }

  public static void main(String[] arguments) throws Exception {
    String text =
        "<Configuration status='warn'><Appenders>"
            + MANNERS.get(arguments[1]).replace("DIR", arguments[0])
            + "</Appenders><Loggers><Root level='info'><AppenderRef ref='file'/></Root></Loggers></Configuration>";
    ConfigurationSource source =
        new ConfigurationSource(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    LoggerContext context = Configurator.initialize(null, source);
    Logger logger = context.getLogger("app");
    int written = Numbered.writeFor(Double.parseDouble(arguments[2]), logger::info);
    Configurator.shutdown(context);
    System.out.println(written);
  }
}
