import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Spring Boot as it comes, with smaller files: SpringBoot DIRECTORY MANNER SECONDS. */
public final class SpringBoot {
  public static void main(String[] arguments) throws Exception {
    System.setProperty("logging.file.name", arguments[0] + "/app.log");
    System.setProperty("logging.logback.rollingpolicy.max-file-size", "16KB");
    System.setProperty("logging.logback.rollingpolicy.max-history", "1000");
    System.setProperty("logging.threshold.console", "off");
    SpringApplication application = new SpringApplication(SpringBoot.class);
    application.setBannerMode(Banner.Mode.OFF);
    application.setLogStartupInfo(false);
    ConfigurableApplicationContext context = application.run();
    Logger logger = LoggerFactory.getLogger("app");
    int written = Numbered.writeFor(Double.parseDouble(arguments[2]), logger::info);
    context.close();
    ((ch.qos.logback.classic.LoggerContext) LoggerFactory.getILoggerFactory()).stop();
    System.out.println(written);
  }
}
