/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from disks, lists and command lines, made safe to show. It may hold anything:
 * terminal escapes, broken UTF-8, characters that reverse the direction of a line.
 */
#ifndef TOOLS_ESCAPE_H
#define TOOLS_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * escape_text() - printable form of any bytes
 * @text: the bytes
 * @bytes: how many; NUL is a byte like others
 *
 * Printable ASCII and well-formed UTF-8 stay as they are, except control and direction
 * characters. Every other byte, and the backslash, becomes \xNN, so that the original can
 * be had back.
 *
 * Return: a string to free(); never NULL: without memory the program ends.
 */
char *escape_text(const char *text, size_t bytes);

/**
 * escape_shell() - text as a word of a command that somebody may copy
 * @text: the word
 *
 * As it is where no shell makes anything of it, else in quotes; with what cannot be printed in $'',
 * as bash, ksh and zsh read it.
 *
 * Return: a string to free(), safe to print; never NULL.
 */
char *escape_shell(const char *text);

/**
 * escape_undo() - the bytes that escape_text() was given
 * @text: what it made, without a NUL
 * @bytes: how many
 * @out: out: the bytes, and a NUL behind them
 * @room: bytes that fit, without the NUL
 *
 * Return: false when they do not fit, when a NUL is among them, or when a backslash begins
 * anything but \xNN.
 */
bool escape_undo(const char *text, size_t bytes, char *out, size_t room);

/**
 * escape_undo_octal() - undo the escapes of fstab, mountinfo and swaps, in place
 * @text: in which \040 stands for a blank: a backslash and three octal digits of a byte that
 *	is not 0. What is no such escape stays as it is.
 */
void escape_undo_octal(char *text);

#endif
