/** The steering service's HTTP API, as seen from outside. */
package io.lensflow.cli.steering;
