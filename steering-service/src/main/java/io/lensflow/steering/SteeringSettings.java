package io.lensflow.steering;

import com.typesafe.config.Config;
import io.lensflow.service.Settings;
import io.lensflow.steering.build.BuildLimits;
import io.lensflow.steering.evaluate.EvaluateLimits;
import io.lensflow.steering.http.BearerTokens;
import io.lensflow.steering.job.JobSettings;
import io.lensflow.steering.pipeline.PipelineSettings;
import io.lensflow.steering.tokenizer.ModelTokenizers;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How the steering service listens and writes: {@code lensflow.steering}.
 *
 * @param host address to bind
 * @param port port to bind; 0 takes a free one
 * @param advertisedUrl URL at which clients reach this instance, without a slash at its end; empty
 *     takes the bound address and port
 * @param sessionTimeout after so long without a sign of life the writer is replaced
 * @param transactionTimeout how long a stuck writer's open transaction can hold up readers
 * @param startTimeout reading the topics to their end, at start and when taking over
 * @param maxBodyBytes largest body of a request
 * @param maxSites most sites of one version
 * @param maxWaitingCallers callers that may wait for workers at a time
 * @param tokenizers folders or hub ids of tokenizers by served name of the model
 * @param jobs limits of jobs
 * @param pipeline how jobs' requests are sent
 * @param build what a build may take
 * @param evaluate what an evaluation may take
 * @param tokens who may read and change things over HTTP; none required if there are none
 */
public record SteeringSettings(
    String host,
    int port,
    Optional<URI> advertisedUrl,
    Duration sessionTimeout,
    Duration transactionTimeout,
    Duration startTimeout,
    long maxBodyBytes,
    int maxSites,
    int maxWaitingCallers,
    Map<String, String> tokenizers,
    JobSettings jobs,
    PipelineSettings pipeline,
    BuildLimits build,
    EvaluateLimits evaluate,
    BearerTokens tokens) {
  public static final String SECTION = "lensflow.steering";

  /** Reads the section; {@code overrides} holds full keys and wins over files and environment. */
  public static SteeringSettings load(Map<String, ?> overrides) {
    return Settings.load(SECTION, overrides, SteeringSettings::from);
  }

  /** Reads the section's content. */
  public static SteeringSettings from(Config config) {
    int port = config.getInt("port");
    Settings.check(port >= 0 && port <= 65_535, "port", "0 … 65535");
    long maxBodyBytes = config.getBytes("max-body-bytes");
    Settings.check(maxBodyBytes >= 1024, "max-body-bytes", "at least 1024");
    int maxSites = config.getInt("max-sites");
    Settings.check(maxSites >= 1, "max-sites", "at least 1");
    return new SteeringSettings(
        config.getString("host"),
        port,
        url(config.getString("advertised-url")),
        positive(config, "session-timeout"),
        positive(config, "transaction-timeout"),
        positive(config, "start-timeout"),
        maxBodyBytes,
        maxSites,
        atLeast(1, config, "max-waiting-callers"),
        ModelTokenizers.parse(config.getString("tokenizers")),
        jobs(config),
        pipeline(config),
        new BuildLimits(
            bytes(config, "jobs.max-held-bytes"), bytes(config, "jobs.max-result-bytes")),
        evaluate(config),
        BearerTokens.of(
            config.getString("auth.read-tokens"), config.getString("auth.write-tokens")));
  }

  private static JobSettings jobs(Config config) {
    return new JobSettings(
        atLeast(1, config, "jobs.max-running"),
        atLeast(1, config, "jobs.max-waiting"),
        atLeast(1, config, "jobs.max-kept"),
        bytes(config, "jobs.max-request-bytes"),
        positive(config, "jobs.progress-interval"));
  }

  private static EvaluateLimits evaluate(Config config) {
    return new EvaluateLimits(
        atLeast(1, config, "evaluate.max-items"),
        atLeast(2, config, "evaluate.max-multipliers"),
        atLeast(1, config, "evaluate.max-requests"),
        atLeast(2, config, "evaluate.max-neutral-tokens"),
        atLeast(0, config, "evaluate.max-prompts"),
        atLeast(1, config, "evaluate.max-new-tokens"),
        bytes(config, "jobs.max-held-bytes"));
  }

  private static PipelineSettings pipeline(Config config) {
    Duration deadline = config.getDuration("jobs.request-deadline");
    Settings.check(
        deadline.toSeconds() >= 1 && deadline.compareTo(Duration.ofDays(6)) <= 0,
        "jobs.request-deadline",
        "1 s … 6 days");
    return new PipelineSettings(
        atLeast(1, config, "jobs.requests-per-slot"),
        bytes(config, "jobs.max-in-flight-bytes"),
        deadline);
  }

  private static int atLeast(int least, Config config, String key) {
    int value = config.getInt(key);
    Settings.check(value >= least, key, "at least " + least);
    return value;
  }

  private static long bytes(Config config, String key) {
    long value = config.getBytes(key);
    Settings.check(value >= 1024, key, "at least 1024");
    return value;
  }

  private static Optional<URI> url(String text) {
    if (text.isBlank()) {
      return Optional.empty();
    }
    URI url = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    Settings.check(
        url.getScheme() != null && url.getScheme().startsWith("http") && url.getHost() != null,
        "advertised-url",
        "an http or https URL");
    return Optional.of(url);
  }

  private static Duration positive(Config config, String key) {
    Duration value = config.getDuration(key);
    Settings.check(
        value.toMillis() >= 100 && value.compareTo(Duration.ofHours(1)) <= 0, key, "100 ms … 1 h");
    return value;
  }
}
