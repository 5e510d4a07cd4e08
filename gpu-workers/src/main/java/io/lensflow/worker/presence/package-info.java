/** What a worker tells the world about itself. */
package io.lensflow.worker.presence;
