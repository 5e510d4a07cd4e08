package io.lensflow.cli.option;

import io.lensflow.cli.output.OutputFile;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.report.CurvePlot;
import io.lensflow.steering.report.HtmlReport;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Files that show an evaluation. */
public final class ReportOptions {
  private static final String HTML = "--html";
  private static final String SVG = "--svg";

  @Option(
      names = HTML,
      paramLabel = "FILE",
      description = "Write a report with plots to this file; it needs no other file.")
  Path html;

  @Option(
      names = SVG,
      paramLabel = "FILE",
      description = "Write the curve to this file as a picture.")
  Path svg;

  /** Whether there is anything to write. */
  public boolean isAsked() {
    return html != null || svg != null;
  }

  /**
   * Refuses files that could not be written.
   *
   * @throws io.lensflow.cli.CommandFailure naming the option
   */
  public void check() {
    OutputFile.check(HTML, html);
    OutputFile.check(SVG, svg);
  }

  /**
   * Writes what was asked for.
   *
   * @throws io.lensflow.cli.CommandFailure if that does not succeed
   */
  public void write(Evaluation evaluation) {
    if (html != null) {
      OutputFile.write(HTML, html, HtmlReport.of(evaluation));
    }
    if (svg != null) {
      OutputFile.write(SVG, svg, CurvePlot.of(evaluation));
    }
  }
}
