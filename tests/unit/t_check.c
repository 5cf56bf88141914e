// SPDX-License-Identifier: GPL-2.0-only
/*
 * The check against the damage corpus (tests/damage/README.md), and what its interface
 * promises apart from finding and repairing: who is asked, what a no means, what is said.
 *
 *	t_check				all of it
 *	t_check CASE...			these cases, with every problem printed
 *	t_check --image CASE FILE	write the damaged spare of a case
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "tap.h"
#include "recipe.h"

static const char *cases_dir = "tests/damage/cases";
static bool verbose;

#define MAX_STATES 8

/* What a case expects; tests/damage/README.md. */
struct expectation {
	u32 problems[RMETA_NR_PROBLEMS];
	u32 preen_leaves;
	u32 repair_leaves;
	long differ;
	int result;
	char label[32 + 1];
	unsigned int nr_states;
	slot_t slot[MAX_STATES];
	char state[MAX_STATES][16];
};

static bool find_row(const char *name, unsigned int *row)
{
	for (*row = 0; *row < RMETA_NR_PROBLEMS; (*row)++)
		if (!strcmp(rmeta_problem_types[*row].name, name))
			return true;
	return false;
}

static bool expect_line(struct expectation *want, const char *text)
{
	unsigned int row, nr, at = want->nr_states;
	char word[64];

	if (sscanf(text, "problem %63s %u", word, &nr) == 2) {
		if (!find_row(word, &row))
			return false;
		want->problems[row] = nr;
	} else if (sscanf(text, "preen leaves %u", &nr) == 1) {
		want->preen_leaves = nr;
	} else if (sscanf(text, "repair leaves %u", &nr) == 1) {
		want->repair_leaves = nr;
	} else if (sscanf(text, "entries differ %u", &nr) == 1) {
		want->differ = nr;
	} else if (at < MAX_STATES && sscanf(text, "entry %u %15s", &want->slot[at],
					     want->state[at]) == 2) {
		want->nr_states++;
	} else if (sscanf(text, "label %32s", want->label) == 1) {
		if (!strcmp(want->label, "none"))
			*want->label = '\0';
	} else if (sscanf(text, "result %63s", word) == 1) {
		want->result = !strcmp(word, "ENODATA") ? -ENODATA : -EIO;
	} else {
		return *text == '#' || *text == '\n';
	}
	return true;
}

static bool read_expectation(const char *path, struct expectation *want)
{
	FILE *file = fopen(path, "r");
	char text[256];
	bool good = file;

	memset(want, 0, sizeof(*want));
	strcpy(want->label, "damaged");
	while (good && fgets(text, sizeof(text), file)) {
		good = expect_line(want, text);
		if (!good)
			note("%s: %s", path, text);
	}
	if (file)
		fclose(file);
	return good;
}

/* Compare what was raised with what should have been; a line for each difference. */
static bool same_problems(const struct run *run, const struct expectation *want)
{
	bool same = true;
	unsigned int row;

	for (row = 0; row < RMETA_NR_PROBLEMS; row++) {
		if (run->problems[row] == want->problems[row])
			continue;
		note("problem %s %u, expected %u", rmeta_problem_types[row].name,
		     run->problems[row], want->problems[row]);
		same = false;
	}
	return same;
}

/* Are label and entries what they should be, after a repair that left nothing? */
static bool same_contents(const struct spare *spare, struct disk *disk,
			  const struct expectation *want)
{
	const char *problem, *state;
	struct rmeta_superblock sb;
	struct rmeta_entry entry;
	long different;
	bool good = true;
	unsigned int nr;

	for (nr = 0; nr < want->nr_states; nr++) {
		rmeta_page_entry(disk_at(disk, spare_sector(spare, want->slot[nr] /
							    RMETA_PAGE_ENTRIES, 0)),
				 want->slot[nr] % RMETA_PAGE_ENTRIES, &entry);
		state = rmeta_state_name(entry.state);
		if (strcmp(state, want->state[nr])) {
			note("slot %u is %s, expected %s", want->slot[nr], state,
			     want->state[nr]);
			good = false;
		}
	}
	rmeta_superblock_decode(disk_at(disk, 0), 0, &sb);
	if (strcmp(sb.label, want->label)) {
		note("label \"%s\", expected \"%s\"", sb.label, want->label);
		good = false;
	}
	different = spare_compare(spare, disk, SPARE_NEW, false, &problem);
	if (different != want->differ)
		note("entries differ %ld, expected %ld%s%s", different, want->differ,
		     problem ? ": " : "", problem ? problem : "");
	return good && different == want->differ;
}

/* After @answer to everything, @leaves problems are left; with none it is clean and loads. */
static bool repair_leaves(const struct spare *spare, struct disk *disk, enum answer answer,
			  u32 leaves, const struct expectation *want)
{
	struct run run = { 0 };

	run_check(&run, disk, answer);
	if (run.result || run.check.found - run.check.fixed != leaves) {
		note("result %d, %u of %u problems left, expected %u", run.result,
		     run.check.found - run.check.fixed, run.check.found, leaves);
		return false;
	}
	if (leaves)
		return true;
	run.log = true;
	run_check(&run, disk, ANSWER_YES);
	if (run.result || run.check.found) {
		note("second run: result %d, found %u", run.result, run.check.found);
		return false;
	}
	return same_contents(spare, disk, want);
}

static void run_case(const char *name)
{
	struct expectation want;
	struct spare spare;
	struct run run = { 0 };
	struct disk disk;
	char path[512], error[512];
	bool good;

	snprintf(path, sizeof(path), "%s/%s/recipe", cases_dir, name);
	if (!recipe_make(path, &spare, error, sizeof(error))) {
		ok(false, "%s: %s", name, error);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s/expect", cases_dir, name);
	good = read_expectation(path, &want);
	disk_init(&disk, spare.disk.max_blocks * RMETA_SECTORS);
	disk_copy(&disk, &spare.disk);
	run.log = verbose;
	run_check(&run, &disk, ANSWER_DRY);
	good &= run.result == want.result && same_problems(&run, &want);
	if (run.result != want.result)
		note("result %d, expected %d", run.result, want.result);
	good &= !disk.steps && disk_same(&disk, &spare.disk) && !run.check.written &&
		!run.check.fixed;
	if (!run.result) {
		good &= repair_leaves(&spare, &disk, ANSWER_PREEN, want.preen_leaves, &want);
		disk_copy(&disk, &spare.disk);
		good &= repair_leaves(&spare, &disk, ANSWER_YES, want.repair_leaves, &want);
	}
	ok(good, "%s: %u problems", name, run.check.found);
	disk_exit(&disk);
	spare_free(&spare);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_corpus(void)
{
	struct dirent **list;
	int nr = scandir(cases_dir, &list, is_case, alphasort), i;
	unsigned int row, missing = 0;

	ok(nr >= 25, "the corpus has %d cases", nr);
	for (i = 0; i < nr; i++) {
		run_case(list[i]->d_name);
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
	for (row = 0; row < RMETA_NR_PROBLEMS; row++)
		if (!rows_raised[row]) {
			missing++;
			note("no case raises %s", rmeta_problem_types[row].name);
		}
	is(missing, 0, "every row of the problem table is raised by a case");
}

/*
 * Power goes at each step of the repair of each case: the next run finishes it, with no more
 * leave than the first one needed, and what is left in the end is the same as without the cut.
 */
static void cut_case(const struct spare *spare, struct disk *disk, const char *name,
		     const struct expectation *want, u32 *cuts, u32 *bad)
{
	struct run run = { 0 };
	u64 steps, step;
	unsigned int luck;

	disk_copy(disk, &spare->disk);
	run_check(&run, disk, ANSWER_YES);
	steps = disk->steps;
	for (step = 1; step <= steps; step++)
		for (luck = 0; luck < 3; luck++) {
			disk_copy(disk, &spare->disk);
			disk->random = step * 8 + luck;
			disk->fatal_step = step;
			run_check(&run, disk, ANSWER_YES);
			disk_revive(disk);
			(*cuts)++;
			if (repair_leaves(spare, disk, want->preen_leaves ? ANSWER_YES :
					  ANSWER_PREEN, 0, want))
				continue;
			(*bad)++;
			note("%s: cut at step %u of %u", name, (unsigned int)step,
			     (unsigned int)steps);
		}
}

static void a_cut_is_finished(void)
{
	struct dirent **list;
	int nr = scandir(cases_dir, &list, is_case, alphasort), i;
	u32 cuts = 0, bad = 0;

	for (i = 0; i < nr; i++) {
		struct expectation want;
		struct spare spare;
		struct disk disk;
		char path[512], error[512];

		snprintf(path, sizeof(path), "%s/%s/expect", cases_dir, list[i]->d_name);
		read_expectation(path, &want);
		snprintf(path, sizeof(path), "%s/%s/recipe", cases_dir, list[i]->d_name);
		if (!want.result && !want.repair_leaves &&
		    recipe_make(path, &spare, error, sizeof(error))) {
			disk_init(&disk, spare.disk.max_blocks * RMETA_SECTORS);
			cut_case(&spare, &disk, list[i]->d_name, &want, &cuts, &bad);
			disk_exit(&disk);
			spare_free(&spare);
		}
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
	is(bad, 0, "repairs of the corpus cut %u times, at every step: the next run finishes them",
	   cuts);
}

/*
 * The table and what documents it
 */

static bool document_has(const char *document, const char *line)
{
	return strstr(document, line);
}

static void table_is_documented(void)
{
	FILE *file = fopen("docs/check.md", "r");
	static char document[1 << 17];
	unsigned int row, bad = 0, rows = 0;
	const char *at;
	char line[512];

	if (!ok(file, "docs/check.md is there"))
		return;
	document[fread(document, 1, sizeof(document) - 1, file)] = '\0';
	fclose(file);
	for (row = 0; row < RMETA_NR_PROBLEMS; row++) {
		const struct rmeta_problem_type *type = &rmeta_problem_types[row];

		snprintf(line, sizeof(line), "\n| `%s` | %s%s%s | %s | %s |\n", type->name,
			 type->flags & RMETA_PREEN ? "p" : "", type->flags & RMETA_LOSS ? "loss" : "",
			 type->flags & RMETA_NO_REPAIR ? "report" : "", type->text, type->repair);
		if (!document_has(document, line)) {
			bad++;
			printf("# docs/check.md lacks: %s", line + 1);
		}
	}
	for (at = document; (at = strstr(at, "\n| `")); at++)
		rows++;
	is(bad, 0, "docs/check.md has every row of the problem table as it is");
	is(rows, RMETA_NR_PROBLEMS, "and no other");
}

static void table_makes_sense(void)
{
	unsigned int row, other, bad = 0;

	for (row = 0; row < RMETA_NR_PROBLEMS; row++) {
		const struct rmeta_problem_type *type = &rmeta_problem_types[row];
		bool report = type->flags & RMETA_NO_REPAIR;

		bad += !*type->text || report == (*type->repair != '\0');
		bad += (type->flags & RMETA_PREEN) && (type->flags & (RMETA_LOSS | RMETA_NO_REPAIR));
		for (other = 0; other < row; other++)
			bad += !strcmp(type->name, rmeta_problem_types[other].name);
	}
	is(bad, 0, "rows are named once, say what their repair does, and preening never loses anything");
}

/*
 * Answers
 */

static const struct spare_params params = {
	.spare_sectors = 16384, .main_sectors = 2000003, .block_shift = 3, .groups = 1,
	.fill = 300, .seed = 1,
};

/* A no to any one row leaves that problem, and the others repaired or left whole. */
static void a_no_is_a_no(void)
{
	unsigned int bad = 0, asked = 0;
	struct dirent **list;
	int nr = scandir(cases_dir, &list, is_case, alphasort), i;

	for (i = 0; i < nr; i++) {
		char path[512], error[512];
		struct run all = { 0 }, run = { 0 }, again = { 0 };
		struct spare spare;
		struct disk disk;
		unsigned int row;

		snprintf(path, sizeof(path), "%s/%s/recipe", cases_dir, list[i]->d_name);
		if (!recipe_make(path, &spare, error, sizeof(error)))
			continue;
		disk_init(&disk, spare.disk.max_blocks * RMETA_SECTORS);
		disk_copy(&disk, &spare.disk);
		run_check(&all, &disk, ANSWER_DRY);
		for (row = 0; row < RMETA_NR_PROBLEMS && !all.result; row++) {
			if (!all.problems[row])
				continue;
			asked++;
			disk_copy(&disk, &spare.disk);
			run_check_except(&run, &disk, ANSWER_YES, row);
			run_check(&again, &disk, ANSWER_DRY);
			if (run.result || run.check.fixed + run.problems[row] > run.check.found ||
			    again.problems[row] < run.problems[row] ||
			    again.check.found < run.check.found - run.check.fixed) {
				note("%s, no to %s: found %u, fixed %u; then %u, of this row %u",
				     list[i]->d_name, rmeta_problem_types[row].name,
				     run.check.found, run.check.fixed, again.check.found,
				     again.problems[row]);
				bad++;
			}
		}
		disk_exit(&disk);
		spare_free(&spare);
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
	is(bad, 0, "a no to one row: it is found again, and what was said to be fixed is (%u times)",
	   asked);
}

/* With a no to everything a writable run writes nothing, like one that may not write. */
static void no_to_all_writes_nothing(void)
{
	struct spare spare;
	struct disk disk;
	struct run run = { 0 };
	u64 random = 3;
	u32 page;

	spare_make(&spare, &params);
	for (page = 0; page < spare.nr_pages; page++)
		spare_damage(&spare, &spare.disk, page, page, DAMAGE_NOISE, &random);
	spare_damage(&spare, &spare.disk, SPARE_SUPER, 1, DAMAGE_OLD, &random);
	disk_init(&disk, params.spare_sectors);
	disk_copy(&disk, &spare.disk);
	run_check(&run, &disk, ANSWER_NO);
	ok(!run.result && run.check.found == 4 && !run.check.fixed && !run.check.written &&
	   !disk.steps && disk_same(&disk, &spare.disk), "a no to everything writes nothing");
	disk_exit(&disk);
	spare_free(&spare);
}

/* A sound spare: nothing found, nothing written, the summary right. */
static void sound_spare(void)
{
	struct spare spare;
	struct run run = { 0 };
	u32 used = 0;
	slot_t slot;

	spare_make(&spare, &params);
	run_check(&run, &spare.disk, ANSWER_YES);
	for (slot = 0; slot < rmeta_slots(&spare.geo); slot++)
		used += spare.entries[SPARE_NEW][slot].state != RMETA_FREE;
	ok(!run.result && !run.check.found && !spare.disk.steps, "a sound spare: nothing to do");
	is(run.check.counts.mapped + run.check.counts.lost + run.check.counts.retired, used,
	   "and its entries are counted");
	ok(run.check.have_sb && !strcmp(run.check.sb.label, "damaged") && !run.check.was_in_use,
	   "and its superblock is told");
	spare_free(&spare);
}

/*
 * Places in words
 */

static const char *where(struct rmeta_problem problem)
{
	static char text[96];

	return rmeta_problem_where(&problem, text, sizeof(text));
}

static void places_in_words(void)
{
	struct rmeta_problem problem = {
		.page = RMETA_OBJECT_SUPERBLOCK, .slot = RMETA_NO_SLOT, .other = RMETA_NO_SLOT,
		.block = RMETA_NO_BLOCK,
	};
	char little[8];

	is_str(where(problem), "superblock", "of the superblock");
	problem.copies = 0x10;
	is_str(where(problem), "superblock copy 4", "of one copy of it");
	problem.page = 7;
	problem.copies = 0x6;
	is_str(where(problem), "page 7 copies 1 2", "of copies of a page");
	problem.copies = 0;
	problem.slot = 1771;
	problem.block = 99;
	is_str(where(problem), "page 7, slot 1771, block 99", "of an entry");
	problem.other = 12;
	is_str(where(problem), "page 7, slots 1771 and 12, block 99", "of two claims");
	problem.code = RMETA_P_PAGE_LOST;
	problem.block = RMETA_NO_BLOCK;
	problem.other = 2023;
	is_str(where(problem), "page 7, slots 1771 to 2023", "of a lost page");
	is_str(rmeta_problem_where(&problem, little, sizeof(little)), "page 7,", "cut where room ends");
}

static int write_image(const char *name, const char *path)
{
	char recipe[512], error[512];
	struct spare spare;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	u64 nr;

	snprintf(recipe, sizeof(recipe), "%s/%s/recipe", cases_dir, name);
	if (fd < 0 || !recipe_make(recipe, &spare, error, sizeof(error))) {
		fprintf(stderr, "t_check: %s\n", fd < 0 ? strerror(errno) : error);
		return 8;
	}
	for (nr = 0; nr < spare.disk.max_blocks; nr++)
		if (spare.disk.block[nr] &&
		    pwrite(fd, spare.disk.block[nr], DISK_BLOCK, (off_t)nr * DISK_BLOCK) != DISK_BLOCK)
			return 8;
	return ftruncate(fd, (off_t)spare.disk.sectors * 512) || close(fd) ? 8 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--image"))
		return write_image(argv[2], argv[3]);
	if (argc > 1) {
		verbose = true;
		while (*++argv)
			run_case(*argv);
		return done();
	}
	run_corpus();
	a_cut_is_finished();
	a_no_is_a_no();
	no_to_all_writes_nothing();
	sound_spare();
	places_in_words();
	table_makes_sense();
	table_is_documented();
	return done();
}
