/** Reading a topic from its beginning, and on as it grows, without a consumer group. */
package io.lensflow.worker.tailing;
