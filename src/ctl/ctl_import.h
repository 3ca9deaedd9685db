/* ctl_import.h - posternctl user import. */

#ifndef POSTERN_CTL_CTL_IMPORT_H
#define POSTERN_CTL_CTL_IMPORT_H

#include "ctl/ctl.h"

/* Runs with the file as its operand, and "-" for stdin. */
enum ctl_exit ctl_import_run(struct ctl *ctl,
    const struct ctl_arguments *arguments);

#endif
