using System.Reflection;
using System.Text.Json;

namespace Marl.Native.Tests.Gpu;

/// <summary>The reference cases on every device: the tests of tests/Reference that can be told where to compute, held to the cases' own tolerances.</summary>
[Trait("Category", "Reference")]
public sealed class ReferenceTests(Devices devices) : IClassFixture<Devices>
{
    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (test, cases) in Tests())
            {
                foreach (string device in Devices.Present)
                {
                    foreach (string name in Chosen(device, cases))
                    {
                        data.Add(device, test, name);
                    }
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void AsThePeers(string id, string test, string name)
    {
        var method = Methods().Single(method => NameOf(method) == test);
        method.CreateDelegate<Action<string, Device?>>(Activator.CreateInstance(method.DeclaringType!))(name, devices[id]);
    }

    private static IEnumerable<(string Test, IEnumerable<string> Cases)> Tests()
        => from method in Methods()
           let cases = (IReferenceCases)Activator.CreateInstance(method.GetCustomAttribute<ReferenceTheoryAttribute>()!.Cases)!
           select (NameOf(method), from c in cases.Cases where c.NotBuilt is null select c.Name);

    private static IEnumerable<string> Chosen(string device, IEnumerable<string> cases)
        => !Devices.All ? cases.Where(name => !IsLearner(name)) : Devices.IsEmulated(device) ? Fewest(cases) : cases;

    /// <summary>Training calls, which run only if all cases do (<see cref="Devices.All"/>): they take longest, and <see cref="TrainingTests"/> train as well.</summary>
    private static bool IsLearner(string name) => name.StartsWith("learner_", StringComparison.Ordinal);

    /// <summary>The emulated device is slow: of every algorithm of learners the case with the fewest numbers; of ops, losses, targets and optimizers all.</summary>
    private static IEnumerable<string> Fewest(IEnumerable<string> cases)
        => from name in cases
           group name by IsLearner(name) ? Algorithm(name) : name into alike
           select alike.MinBy(name => new FileInfo(ReferenceData.Find("learners", name + ".safetensors")).Length);

    /// <summary>What a case says it is of, without its variant: "COMA (EPyMARL form)", "IA2C, no parameter sharing", "QMIX with Adam".</summary>
    private static string Algorithm(string name)
    {
        using var description = JsonDocument.Parse(File.ReadAllBytes(ReferenceData.Find("learners", name + ".json")));
        return description.RootElement.GetProperty("algorithm").GetString()!.Split([" (", ", ", " with "], StringSplitOptions.None)[0];
    }

    /// <summary>Those that can be told where to compute.</summary>
    private static IEnumerable<MethodInfo> Methods()
        => from type in typeof(ReferenceCase).Assembly.GetTypes()
           from method in type.GetMethods()
           where method.GetCustomAttribute<ReferenceTheoryAttribute>() is not null && method.GetParameters().Any(parameter => parameter.ParameterType == typeof(Device))
           orderby NameOf(method)
           select method;

    private static string NameOf(MethodInfo method) => $"{method.DeclaringType!.Name}.{method.Name}";
}
