"""Twenty people who upload, others who read, ask and talk beside them: how long everything takes, what is lost."""
