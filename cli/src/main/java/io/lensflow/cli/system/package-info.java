/** All services in one JVM, a broker in a child JVM. */
package io.lensflow.cli.system;
