/** What requests that may wait cost those of people. */
package io.lensflow.bench.lane;
