/** For tests: a broker and a registry shared by a JVM's test classes, shared data, waiting. */
package io.lensflow.testkit;
