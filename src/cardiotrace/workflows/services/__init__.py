"""What several verbs share: opening data sets, tracing and measuring an exam, batches of exams and what they leave."""
