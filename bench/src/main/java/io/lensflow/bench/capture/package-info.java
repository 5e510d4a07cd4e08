/** What capturing costs. */
package io.lensflow.bench.capture;
