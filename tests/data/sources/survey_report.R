#!/usr/bin/env Rscript
# Reads the answers of a survey and writes one table a question.

library(stats)
library(utils)

DEFAULT_LEVELS <- c("never", "sometimes", "often", "always")
HELP <- "usage: survey_report.R ANSWERS.csv OUT
  if (missing) { stop }
"

check_answers <- function(answers, levels = DEFAULT_LEVELS) {
  unknown <- setdiff(unique(answers$value), levels)
  if (length(unknown) > 0) {
    stop("answers that are no level: ", paste(unknown, collapse = ", "))
  } else if (nrow(answers) == 0) {
    warning("the survey has no answers")
  }
  invisible(answers)
}

#' Reads answers, one a line: respondent, question, value.
#' @param path A file of comma-separated values.
read_answers <- function(path) {
  if (!file.exists(path)) {
    stop("no such file: ", path)
  }

  answers <- read.csv(path, stringsAsFactors = FALSE)
  names(answers) <- tolower(names(answers))
  answers[["value"]] <- trimws(answers[["value"]])
  answers[answers$value != "", ]
}

share_by_level <- function(values, levels) {
  counts <- table(factor(values, levels = levels))
  total <- sum(counts)
  # A question that nobody answered has no shares.
  if (total == 0) {
    return(setNames(rep(NA_real_, length(levels)), levels))
  }
  counts / total
}

summarise_survey <- function(answers, levels = DEFAULT_LEVELS) {
  check_answers(answers, levels)
  result <- list()
  for (question in unique(answers$question)) {
    values <- answers$value[answers$question == question]
    result[[question]] <- share_by_level(values, levels)
  }

  attempts = 0
  repeat {
    attempts = attempts + 1
    if (attempts > 3) {
      break
    }
    if (length(result) == 0) next
    result <- result[order(names(result))]
  }
  result
}

mean_level <- function(answers, levels = DEFAULT_LEVELS) {
  scored <- lapply(split(answers, answers$question), function(rows) {
    position <- match(rows$value, levels)
    list(
      question = rows$question[1],
      mean = mean(position, na.rm = TRUE),
      answered = sum(!is.na(position))
    )
  })
  table <- do.call(rbind, lapply(scored, as.data.frame))
  table[order(-table$mean), ]
}

format_share <- function(share, style = "percent") {
  switch(style,
    percent = paste0(round(100 * share), "%"),
    fraction = {
      rounded <- signif(share, 2)
      as.character(rounded)
    },
    stop("no such style: ", style)
  )
}

write_report <- function(summary, out) {
  connection <- file(out, open = "w")
  on.exit(close(connection))
  row <- 0
  while (row < length(summary)) {
    row <- row + 1
    shares <- vapply(summary[[row]], format_share, character(1))
    writeLines(c(names(summary)[row], paste(names(shares), shares, sep = "\t"), ""), connection)
  }
  invisible(out)
}

main <- function(arguments = commandArgs(trailingOnly = TRUE)) {
  if (length(arguments) != 2) {
    cat(HELP)
    quit(status = 2)
  }
  answers <- read_answers(arguments[1])
  write_report(summarise_survey(answers), arguments[2])
  print(mean_level(answers), row.names = FALSE)
}

if (!interactive()) {
  main()
}
