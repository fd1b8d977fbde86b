using Marl.Native.Cli;

return CommandLine.Run(args);
