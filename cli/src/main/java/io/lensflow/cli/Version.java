package io.lensflow.cli;

import picocli.CommandLine.IVersionProvider;

/** The version that Maven wrote into the jar's manifest. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String version = Version.class.getPackage().getImplementationVersion();
    return new String[] {"lensflow " + (version == null ? "(not packaged)" : version)};
  }
}
