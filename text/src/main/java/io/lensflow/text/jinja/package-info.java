/**
 * The part of Jinja 3.1 that chat templates are written in, with Python's meanings: an immutable
 * tree made by {@code Parser} from {@code Lexer}'s tokens, whose nodes evaluate themselves.
 *
 * <p>Values are {@code null} (None), {@link java.lang.Boolean}, {@link java.lang.Long} or {@link
 * java.math.BigInteger} (int), {@link java.lang.Double}, {@link java.lang.String}, {@link
 * java.util.List}, {@link java.util.Map} with keys in order, and the package's own kinds. A
 * template reaches nothing else: no Java method, no reflection, no file. Whatever is not supported
 * is an error that names it.
 */
package io.lensflow.text.jinja;
