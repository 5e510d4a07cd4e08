/**
 * How well and how safely a vector steers (Tan et al. 2024, <a
 * href="https://arxiv.org/abs/2407.12404">arXiv:2407.12404</a>): propensities of held-out items
 * over multipliers, their slopes, controls, side effects.
 */
package io.lensflow.steering.evaluate;
