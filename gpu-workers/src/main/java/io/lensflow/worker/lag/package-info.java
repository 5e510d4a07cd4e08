/** How far the lens decoder is behind, and what that means for requests that capture. */
package io.lensflow.worker.lag;
