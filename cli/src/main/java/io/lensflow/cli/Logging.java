package io.lensflow.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.filter.ThresholdFilter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.OutputStreamAppender;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;

/**
 * Who hears what the services log. A person at a terminal reads the commands' own words, so that
 * the log goes to a file, or nowhere; a service that runs by itself logs to standard error.
 */
public final class Logging {
  private static final String PATTERN =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level [%thread] %logger{30} %msg%replace( %mdc){' $', ''}%n";

  private Logging() {}

  /** Silence, but for {@code --verbose}. */
  static void begin(boolean verbose) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.INFO);
    // Kafka's clients repeat their whole configuration, and every refused connection.
    context.getLogger("org.apache.kafka").setLevel(verbose ? Level.WARN : Level.ERROR);
    context.getLogger("org.eclipse.jetty").setLevel(Level.WARN);
    context.getLogger("io.javalin").setLevel(Level.WARN);
    context.getLogger("akka").setLevel(Level.INFO);
    if (verbose) {
      toStandardError(Level.INFO);
    }
  }

  /** The log of a service that runs by itself. */
  public static void toStandardError(Level threshold) {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setTarget("System.err");
    attach(appender, threshold);
  }

  /** The log of services that share a process with a person at the terminal. */
  public static void toFile(Path file) {
    FileAppender<ILoggingEvent> appender = new FileAppender<>();
    appender.setFile(file.toString());
    appender.setAppend(true);
    attach(appender, Level.INFO);
  }

  private static void attach(OutputStreamAppender<ILoggingEvent> appender, Level threshold) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(PATTERN);
    encoder.start();
    ThresholdFilter filter = new ThresholdFilter();
    filter.setLevel(threshold.toString());
    filter.start();
    appender.setContext(context);
    appender.setEncoder(encoder);
    appender.addFilter(filter);
    appender.start();
    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(appender);
  }

  /** Ends the log, so that its file can be deleted. */
  public static void close() {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }
}
