/** A worker process: one replica of a model between the request topics and the result topics. */
package io.lensflow.worker;
