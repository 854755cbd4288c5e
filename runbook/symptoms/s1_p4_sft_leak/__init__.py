"""S1.P4.sft-leak: the firewall finds a forbidden row in the SFT export."""
