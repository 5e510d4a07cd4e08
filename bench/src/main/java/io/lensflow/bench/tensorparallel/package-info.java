/** What splitting a model over ranks costs. */
package io.lensflow.bench.tensorparallel;
